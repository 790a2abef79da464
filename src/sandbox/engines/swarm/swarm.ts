import { setTimeout as pause } from "node:timers/promises";
import type { AbortOptions } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { type DockerOptions, dockerClient } from "../client.ts";
import { dockerEngine } from "../docker.ts";
import type { Engine, EngineInfo } from "../engine.ts";
import { cluster, POLL_MS, type SwarmNode } from "./cluster.ts";
import { nodeLost, noRoom, notManager, rejected } from "./faults.ts";
import { serviceOutput } from "./output.ts";
import { serviceSpec } from "./spec.ts";
import { ENDED_LABEL, isOver, STARTED_LABEL, type SwarmTask, serviceState } from "./state.ts";

/** A task that no node has taken by then is given back. */
const START_MS = 60_000;
/** How often it is looked whether the task's node is still there. */
const NODE_POLL_MS = 2000;

type SwarmOptions = DockerOptions & {
  /** Nodes reach ichain's home folder at the same path; without it tasks stay on this node. */
  readonly shared: boolean;
  /** Placement constraints in Swarm's words, `node.labels.jobs==yes`. */
  readonly constraints?: readonly string[] | undefined;
  readonly startMs?: number | undefined;
};

/**
 * A swarm behind the API of the manager on this machine: each run is a service, a replicated job of one
 * task, which is never started a second time. Throws `SWARM_INACTIVE`, `SWARM_FULL`, `SWARM_REJECTED`,
 * `SWARM_IMAGE_MISSING` and `SWARM_NODE_LOST` besides the engine's own errors.
 */
export function swarmEngine(options: SwarmOptions): Engine {
  const { shared, constraints = [], startMs = START_MS } = options;
  const client = dockerClient(options);
  const local = dockerEngine(options);
  const swarm = cluster(client);

  /** This node's id; throws `SWARM_INACTIVE`. */
  async function self(abortOptions?: AbortOptions): Promise<string> {
    const info: unknown = await client.call(
      (each) => client.docker.info(each as unknown as () => void) as unknown as Promise<unknown>,
      abortOptions,
    );
    const { Swarm } = info as {
      Swarm: { NodeID: string; LocalNodeState: string; ControlAvailable: boolean };
    };
    if (!Swarm.ControlAvailable) throw notManager(Swarm.LocalNodeState);
    return Swarm.NodeID;
  }

  /** Nodes that may get tasks. Constraints beyond the node itself are Swarm's to judge, at placement. */
  async function nodes(abortOptions?: AbortOptions): Promise<SwarmNode[]> {
    const here = await self(abortOptions);
    return (await swarm.nodes(abortOptions)).filter(
      (node) => node.state === "ready" && node.availability === "active" && (shared || node.id === here),
    );
  }

  async function taskOf(name: string, abortOptions?: AbortOptions): Promise<SwarmTask | undefined> {
    const service = await swarm.service(name, abortOptions);
    return service && swarm.task({ service: service.ID }, abortOptions);
  }

  /** Resolves when a task runs no more; throws `SWARM_NODE_LOST` when its node is gone, or drained. */
  async function over(
    of: Parameters<typeof swarm.task>[0],
    abortOptions: AbortOptions & { drained: boolean },
  ): Promise<void> {
    for (let looked = 0; ; await pause(POLL_MS, undefined, abortOptions)) {
      const task = await swarm.task(of, abortOptions);
      if (task === undefined || isOver(task)) return;
      if (performance.now() - looked < NODE_POLL_MS) continue;
      looked = performance.now();
      const node = (await swarm.nodes(abortOptions)).find(({ id }) => id === task.NodeID);
      if (task.NodeID !== undefined && node?.state !== "ready")
        throw nodeLost(node?.hostname ?? task.NodeID, node?.state ?? "gone");
      if (abortOptions.drained && node?.availability === "drain") throw nodeLost(node.hostname, "drained");
    }
  }

  async function ended(name: string, abortOptions: AbortOptions = {}): Promise<void> {
    const service = await swarm.service(name, abortOptions);
    if (service) await over({ service: service.ID }, { ...abortOptions, drained: true });
  }

  /** Container of a task that runs, or ran, on this node. */
  async function containerHere(
    task: SwarmTask | undefined,
    abortOptions?: AbortOptions,
  ): Promise<string | undefined> {
    const id = task?.Status.ContainerStatus?.ContainerID;
    return id && task?.NodeID === (await self(abortOptions)) ? id : undefined;
  }

  return {
    ping: local.ping,
    images: local.images,
    importRoot: local.importRoot,
    build: local.build,
    removeImage: local.removeImage,

    async info(abortOptions): Promise<EngineInfo> {
      const [info, usable] = [await local.info(abortOptions), await nodes(abortOptions)];
      return {
        ...info,
        name: "swarm",
        // A task runs on one node: the largest is what can be asked for.
        cpus: Math.max(0, ...usable.map(({ cpus }) => cpus)),
        memoryBytes: Math.max(0, ...usable.map(({ memoryBytes }) => memoryBytes)),
        // Swarm has no word for a runtime: tasks get the nodes' default one, and no group around theirs.
        runtimes: [info.defaultRuntime],
        cgroupDriver: "none",
        gpus: usable.flatMap(({ id, gpus }) => gpus.map((uuid) => ({ uuid, host: id }))),
      };
    },

    async create(name, settings, abortOptions) {
      const here = shared ? [] : [`node.id==${await self(abortOptions)}`];
      return swarm.create(serviceSpec(name, settings, [...here, ...constraints]), abortOptions);
    },

    async inspect(name, abortOptions) {
      const service = await swarm.service(name, abortOptions);
      if (service === undefined) return undefined;
      const task = await swarm.task({ service: service.ID }, abortOptions);
      const state = serviceState(service, task);
      const container = await containerHere(task, abortOptions);
      const exact = container === undefined ? undefined : await local.inspect(container, abortOptions);
      if (state.status !== "exited" || exact?.status !== "exited") return state;
      const { outOfMemory, startedAt, finishedAt } = exact;
      return { ...state, outOfMemory, startedAt, finishedAt };
    },

    async list(labels, abortOptions) {
      const services = await swarm.services(labels, abortOptions);
      const found = services.map(({ ID, Spec }) => ({
        id: ID,
        name: Spec.Name,
        imageId: Spec.TaskTemplate.ContainerSpec.Image,
        labels: Spec.Labels ?? {},
      }));
      return [...found, ...(await local.list(labels, abortOptions))];
    },

    async output(name, { signal }) {
      const begunAndEnded = async (abortOptions: AbortOptions) => {
        while ((await taskOf(name, abortOptions)) === undefined)
          await pause(POLL_MS, undefined, abortOptions);
        await ended(name, abortOptions);
      };
      return serviceOutput(client, name, begunAndEnded, { signal });
    },

    async start(name, abortOptions) {
      await swarm.scale(name, 1, {}, abortOptions);
      for (const begin = performance.now(); ; await pause(POLL_MS / 5, undefined, abortOptions)) {
        const task = await taskOf(name, abortOptions);
        const { State: state, Err: why = "" } = task?.Status ?? { State: "new" };
        if (state === "running" || state === "complete") return;
        if (task && isOver(task)) {
          if (/non-zero exit/.test(why)) return; // it ran, and is over already
          throw rejected(why);
        }
        if (performance.now() - begin > startMs) throw noRoom(why || `it is still ${state}`);
      }
    },

    ended,

    async kill(name, _signal, abortOptions) {
      const task = await taskOf(name, abortOptions);
      if (task === undefined || isOver(task) || task.DesiredState === "remove") return;
      const times = {
        [STARTED_LABEL]: String(Date.parse(task.CreatedAt)),
        [ENDED_LABEL]: String(Date.now()),
      };
      await swarm.scale(name, 0, times, abortOptions);
    },

    async remove(name, abortOptions) {
      const service = await swarm.service(name, abortOptions);
      const task = service && (await swarm.task({ service: service.ID }, abortOptions));
      if (service) await swarm.remove(service.ID, abortOptions);
      // Containers that have ended stay on their nodes: those of this one go at once, others' are pruned there.
      const label = { "com.docker.swarm.service.name": service?.Spec.Name ?? name };
      for (const { id } of await local.list(label, abortOptions)) await local.remove(id, abortOptions);
      if (service === undefined) return local.remove(name, abortOptions);
      if (task === undefined) return;
      await over({ id: task.ID }, { ...abortOptions, drained: false }).catch((error: unknown) => {
        if (!isIchainError(error, "SWARM_NODE_LOST")) throw error;
      });
    },

    async *samples(name, abortOptions) {
      const container = await containerHere(await taskOf(name, abortOptions), abortOptions);
      if (container !== undefined) yield* local.samples(container, abortOptions);
    },

    async machines(abortOptions) {
      if (!shared) return [];
      const here = await self(abortOptions);
      return (await nodes(abortOptions)).map(({ id, hostname }) => ({
        name: hostname,
        remote: id !== here,
        engine: swarmEngine({ ...options, constraints: [...constraints, `node.id==${id}`] }),
      }));
    },
  };
}
