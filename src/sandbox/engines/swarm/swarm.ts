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

/** A task that no node has accepted by then fails. */
const START_MS = 60_000;
/** How often the state of the task's node is polled. */
const NODE_POLL_MS = 2000;

type SwarmOptions = DockerOptions & {
  /** True when every node reaches ichain's home folder at the same path; otherwise tasks stay on this node. */
  readonly shared: boolean;
  /** Placement constraints in Swarm's syntax, such as `node.labels.jobs==yes`. */
  readonly constraints?: readonly string[] | undefined;
  readonly startMs?: number | undefined;
};

/**
 * A swarm, through the API of the manager on this machine. Each run is a service, a replicated job of one task, which
 * Swarm does not restart.
 * @throws SWARM_INACTIVE, SWARM_FULL, SWARM_REJECTED, SWARM_IMAGE_MISSING, SWARM_NODE_LOST, and the errors of `Engine`
 */
export function swarmEngine(options: SwarmOptions): Engine {
  const { shared, constraints = [], startMs = START_MS } = options;
  const client = dockerClient(options);
  const local = dockerEngine(options);
  const swarm = cluster(client);

  /**
   * This node's id.
   * @throws SWARM_INACTIVE
   */
  async function ownNodeId(abortOptions?: AbortOptions): Promise<string> {
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

  /** Nodes that can get tasks. Swarm itself checks `constraints`, when it places a task. */
  async function nodes(abortOptions?: AbortOptions): Promise<SwarmNode[]> {
    const here = await ownNodeId(abortOptions);
    return (await swarm.nodes(abortOptions)).filter(
      (node) => node.state === "ready" && node.availability === "active" && (shared || node.id === here),
    );
  }

  async function taskOf(name: string, abortOptions?: AbortOptions): Promise<SwarmTask | undefined> {
    const service = await swarm.service(name, abortOptions);
    return service && swarm.task({ service: service.ID }, abortOptions);
  }

  /**
   * Resolves when a task has ended.
   * @throws SWARM_NODE_LOST when its node is down or removed or, with `drained`, when it is drained
   */
  async function taskEnded(
    of: Parameters<typeof swarm.task>[0],
    abortOptions: AbortOptions & { drained: boolean },
  ): Promise<void> {
    for (let polledAt = 0; ; await pause(POLL_MS, undefined, abortOptions)) {
      const task = await swarm.task(of, abortOptions);
      if (task === undefined || isOver(task)) return;
      if (performance.now() - polledAt < NODE_POLL_MS) continue;
      polledAt = performance.now();
      const node = (await swarm.nodes(abortOptions)).find(({ id }) => id === task.NodeID);
      if (task.NodeID !== undefined && node?.state !== "ready")
        throw nodeLost(node?.hostname ?? task.NodeID, node?.state ?? "removed");
      if (abortOptions.drained && node?.availability === "drain") throw nodeLost(node.hostname, "drained");
    }
  }

  async function ended(name: string, abortOptions: AbortOptions = {}): Promise<void> {
    const service = await swarm.service(name, abortOptions);
    if (service) await taskEnded({ service: service.ID }, { ...abortOptions, drained: true });
  }

  /** Container of a task on this node; undefined for one on another node. */
  async function localContainer(
    task: SwarmTask | undefined,
    abortOptions?: AbortOptions,
  ): Promise<string | undefined> {
    const id = task?.Status.ContainerStatus?.ContainerID;
    return id && task?.NodeID === (await ownNodeId(abortOptions)) ? id : undefined;
  }

  return {
    ping: local.ping,
    images: local.images,
    importRoot: local.importRoot,
    build: local.build,
    pull: local.pull,
    removeImage: local.removeImage,

    async info(abortOptions): Promise<EngineInfo> {
      const [info, usable] = [await local.info(abortOptions), await nodes(abortOptions)];
      return {
        ...info,
        name: "swarm",
        // A task runs on one node, so the largest node is the most that can be offered.
        cpus: Math.max(0, ...usable.map(({ cpus }) => cpus)),
        memoryBytes: Math.max(0, ...usable.map(({ memoryBytes }) => memoryBytes)),
        together: {
          cpus: usable.reduce((sum, { cpus }) => sum + cpus, 0),
          memoryBytes: usable.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
        },
        // A service cannot choose its runtime or the parent of its control group: nodes use their defaults.
        runtimes: [info.defaultRuntime],
        cgroupDriver: "none",
        gpus: usable.flatMap(({ id, gpus }) => gpus.map((uuid) => ({ uuid, host: id }))),
      };
    },

    async create(name, settings, abortOptions) {
      const here = shared ? [] : [`node.id==${await ownNodeId(abortOptions)}`];
      return swarm.create(serviceSpec(name, settings, [...here, ...constraints]), abortOptions);
    },

    async inspect(name, abortOptions) {
      const service = await swarm.service(name, abortOptions);
      if (service === undefined) return undefined;
      const task = await swarm.task({ service: service.ID }, abortOptions);
      const state = serviceState(service, task);
      const container = await localContainer(task, abortOptions);
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
      const startedAndEnded = async (abortOptions: AbortOptions) => {
        while ((await taskOf(name, abortOptions)) === undefined)
          await pause(POLL_MS, undefined, abortOptions);
        await ended(name, abortOptions);
      };
      return serviceOutput(client, name, startedAndEnded, { signal });
    },

    async start(name, abortOptions) {
      await swarm.scale(name, 1, {}, abortOptions);
      for (const begin = performance.now(); ; await pause(POLL_MS / 5, undefined, abortOptions)) {
        const task = await taskOf(name, abortOptions);
        const { State: state, Err: why = "" } = task?.Status ?? { State: "new" };
        if (state === "running" || state === "complete") return;
        if (task && isOver(task)) {
          if (/non-zero exit/.test(why)) return; // it has run and ended
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
      // Ended containers stay on their nodes. Remove those of this node; other nodes prune theirs.
      const label = { "com.docker.swarm.service.name": service?.Spec.Name ?? name };
      for (const { id } of await local.list(label, abortOptions)) await local.remove(id, abortOptions);
      if (service === undefined) return local.remove(name, abortOptions);
      if (task === undefined) return;
      await taskEnded({ id: task.ID }, { ...abortOptions, drained: false }).catch((error: unknown) => {
        if (!isIchainError(error, "SWARM_NODE_LOST")) throw error;
      });
    },

    async *samples(name, abortOptions) {
      const container = await localContainer(await taskOf(name, abortOptions), abortOptions);
      if (container !== undefined) yield* local.samples(container, abortOptions);
    },

    async machines(abortOptions) {
      if (!shared) return [];
      const here = await ownNodeId(abortOptions);
      return (await nodes(abortOptions)).map(({ id, hostname }) => ({
        name: hostname,
        remote: id !== here,
        engine: swarmEngine({ ...options, constraints: [...constraints, `node.id==${id}`] }),
      }));
    },
  };
}
