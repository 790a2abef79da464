import { IchainError } from "../../../errors/error.ts";

export function notManager(state: string): IchainError {
  return new IchainError(
    "SWARM_INACTIVE",
    `The Docker engine is no manager of a swarm (its state is ${state}).`,
  );
}

/** No node takes the task, for now: `why` is the scheduler's own word. */
export function noRoom(why: string): IchainError {
  return new IchainError("SWARM_FULL", `No node of the swarm takes the task: ${why.slice(0, 300)}.`);
}

/** The node gave the task up before it ran. */
export function rejected(why: string): IchainError {
  const image = /no such image/i.test(why);
  return new IchainError(
    image ? "SWARM_IMAGE_MISSING" : "SWARM_REJECTED",
    `A node of the swarm could not start the task: ${why.slice(0, 300)}.`,
  );
}

/** The task's node went away or was drained under it. Running it again places it on another one. */
export function nodeLost(node: string, why: string): IchainError {
  return new IchainError(
    "SWARM_NODE_LOST",
    `The swarm's node ${node} is ${why}; its task is started anew elsewhere.`,
  );
}
