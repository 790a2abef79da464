import { IchainError } from "../../../errors/error.ts";

export function notManager(state: string): IchainError {
  return new IchainError(
    "SWARM_INACTIVE",
    `The Docker engine is not a manager of a swarm (its state is ${state}).`,
  );
}

/** No node accepts the task at present; `why` is the scheduler's message. */
export function noRoom(why: string): IchainError {
  return new IchainError("SWARM_FULL", `No node of the swarm accepts the task: ${why.slice(0, 300)}.`);
}

/** The node could not start the task; `why` is its message. */
export function rejected(why: string): IchainError {
  const image = /no such image/i.test(why);
  return new IchainError(
    image ? "SWARM_IMAGE_MISSING" : "SWARM_REJECTED",
    `A node of the swarm could not start the task: ${why.slice(0, 300)}.`,
  );
}

/** The task's node was lost or drained. Running the task again places it on another one. */
export function nodeLost(node: string, why: string): IchainError {
  return new IchainError(
    "SWARM_NODE_LOST",
    `The swarm's node ${node} is ${why}; its task starts again on another node.`,
  );
}
