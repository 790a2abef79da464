import { IchainError } from "../../../errors/error.ts";

export function notManager(state: string): IchainError {
  return new IchainError(`The Docker engine is no manager of a swarm (its state is ${state}).`, {
    code: "SWARM_INACTIVE",
    class: "unavailable",
    hint: "Run `docker swarm init` on this machine, or `docker swarm join` with the manager's token.",
  });
}

/** No node takes the task, for now: `why` is the scheduler's own word. */
export function noRoom(why: string): IchainError {
  return new IchainError(`No node of the swarm takes the task: ${why.slice(0, 300)}.`, {
    code: "SWARM_FULL",
    class: "unavailable",
    hint: "Look at `docker node ls`: nodes may be down, drained, or busy with other tasks.",
    retryable: true,
  });
}

/** The node gave the task up before it ran. */
export function rejected(why: string): IchainError {
  const image = /no such image/i.test(why);
  return new IchainError(`A node of the swarm could not start the task: ${why.slice(0, 300)}.`, {
    code: image ? "SWARM_IMAGE_MISSING" : "SWARM_REJECTED",
    class: "unavailable",
    hint: image
      ? "Load the image on every node: `docker save IMAGE | ssh NODE docker load`."
      : "Every node must reach ichain's home folder at the same path when `swarm.shared` is set.",
    retryable: true,
  });
}

/** The task's node went away or was drained under it. Running it again places it on another one. */
export function nodeLost(node: string, why: string): IchainError {
  return new IchainError(`The swarm's node ${node} is ${why}; its task is started anew elsewhere.`, {
    code: "SWARM_NODE_LOST",
    class: "unavailable",
    hint: "Nothing to do: the task goes to another node, or waits until there is one.",
    retryable: true,
  });
}
