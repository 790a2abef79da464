import type Docker from "dockerode";
import type { AbortOptions } from "../../../async/abort.ts";
import { type DockerClient, ignoreStatus, statusBehind } from "../client.ts";
import { type GenericResource, gpusAmong } from "../resources.ts";
import { type ServiceSpec, serviceName } from "./spec.ts";
import type { Service, SwarmTask } from "./state.ts";

export interface SwarmNode {
  readonly id: string;
  readonly hostname: string;
  readonly state: string;
  readonly availability: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: readonly string[];
}

/** How often the state of a task is polled, because Swarm does not report changes. */
export const POLL_MS = 250;
/** HTTP status of an update whose version is not the service's latest. */
const OUT_OF_SEQUENCE = 500;

/** Swarm's API on services, tasks and nodes, as far as the engine needs it. */
export interface Cluster {
  nodes(options?: AbortOptions): Promise<SwarmNode[]>;
  create(spec: ServiceSpec, options?: AbortOptions): Promise<string>;
  service(name: string, options?: AbortOptions): Promise<Service | undefined>;
  /** The newest task of a service, or the task with this id. */
  task(of: { service: string } | { id: string }, options?: AbortOptions): Promise<SwarmTask | undefined>;
  /** Sets the number of tasks to complete. 0 stops a running one, by SIGTERM and then SIGKILL. Adds `labels`. */
  scale(
    name: string,
    total: 0 | 1,
    labels: Readonly<Record<string, string>>,
    options?: AbortOptions,
  ): Promise<void>;
  services(labels: Readonly<Record<string, string>>, options?: AbortOptions): Promise<Service[]>;
  /** Removes a service, which also stops its task; no error when it does not exist. */
  remove(id: string, options?: AbortOptions): Promise<void>;
}

export function cluster({ docker, call }: DockerClient): Cluster {
  async function service(name: string, options?: AbortOptions): Promise<Service | undefined> {
    try {
      return await call(
        (abortOptions) => docker.getService(serviceName(name)).inspect(abortOptions as object),
        options,
      );
    } catch (error) {
      if (statusBehind(error) === 404) return undefined;
      throw error;
    }
  }

  async function task(
    of: { service: string } | { id: string },
    options?: AbortOptions,
  ): Promise<SwarmTask | undefined> {
    const query = { filters: JSON.stringify(filterLists(of)) };
    const tasks: SwarmTask[] = await call(
      (abortOptions) => docker.listTasks({ ...query, ...abortOptions } as object),
      options,
    );
    return tasks.toSorted((a, b) => Date.parse(b.CreatedAt) - Date.parse(a.CreatedAt))[0];
  }

  return {
    service,
    task,

    async nodes(options) {
      const nodes: Docker.Node[] = await call(
        (abortOptions) => docker.listNodes(abortOptions as object),
        options,
      );
      return nodes.map(nodeOf);
    },

    async create(spec, options) {
      const made = await call(
        // The first argument is registry credentials. None, because nothing is pulled.
        (abortOptions) =>
          docker.createService({}, { ...spec, ...abortOptions } as unknown as Docker.CreateServiceOptions),
        options,
      );
      return made.id;
    },

    async scale(name, total, labels, options) {
      for (;;) {
        const found = await service(name, options);
        if (found === undefined) return;
        const change = {
          _query: { version: found.Version.Index },
          _body: {
            ...found.Spec,
            Labels: { ...found.Spec.Labels, ...labels },
            Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: total } },
          },
        };
        try {
          await call(
            (abortOptions) => docker.getService(found.ID).update({ ...change, ...abortOptions }),
            options,
          );
          return;
        } catch (error) {
          const outdated = statusBehind(error) === OUT_OF_SEQUENCE && /out of sequence/.test(String(error));
          if (!outdated) throw error;
        }
      }
    },

    async services(labels, options) {
      const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const query = { filters: JSON.stringify({ label }) };
      return call(
        (abortOptions) => docker.listServices({ ...query, ...abortOptions } as object),
        options,
      ) as Promise<unknown[]> as Promise<Service[]>;
    },

    async remove(id, options) {
      await ignoreStatus(
        call((abortOptions) => docker.getService(id).remove(abortOptions as object), options),
        404,
      );
    },
  };
}

/** Docker's filters are lists of values. */
function filterLists(of: object): object {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, [value]]));
}

interface RawNode {
  readonly ID: string;
  readonly Spec: { readonly Availability: string };
  readonly Status: { readonly State: string };
  readonly Description: {
    readonly Hostname: string;
    readonly Resources: {
      readonly NanoCPUs: number;
      readonly MemoryBytes: number;
      readonly GenericResources?: readonly GenericResource[];
    };
  };
}

function nodeOf(raw: unknown): SwarmNode {
  const { ID, Spec, Status, Description } = raw as RawNode;
  const { NanoCPUs, MemoryBytes, GenericResources } = Description.Resources;
  return {
    id: ID,
    hostname: Description.Hostname,
    state: Status.State,
    availability: Spec.Availability,
    cpus: NanoCPUs / 1e9,
    memoryBytes: MemoryBytes,
    gpus: gpusAmong(GenericResources),
  };
}
