import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import {
  ApiException,
  BatchV1Api,
  CoreV1Api,
  type KubeConfig,
  Log,
  NetworkingV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
} from "@kubernetes/client-node";
import { type AbortOptions, linkSignals, onAbort, raceSignal } from "../../../async/abort.ts";
import type { Engine } from "../engine.ts";
import { noAnswer, notStarted, refused, unsupported } from "./faults.ts";
import { jobName, type KubernetesPlacement, manifests, RUN_LABEL } from "./manifests.ts";
import { kubernetesQuantity, podState } from "./state.ts";

const ANSWER_MS = 30_000;
const POLL_MS = 1000;
/** A pod that has not started by then is an error. */
const START_MS = 180_000;
/** Time to wait for a deleted pod. One that is still listed then is on a node that was lost. */
const REMOVE_MS = 60_000;
const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

export interface KubernetesOptions extends KubernetesPlacement {
  readonly kubeConfig: KubeConfig;
  /** Root-filesystem digest → reference by digest in a registry that the nodes can reach. */
  readonly images: readonly { readonly name: string; readonly digest: string; readonly reference: string }[];
}

/**
 * A Kubernetes cluster. Each run is a Job of one pod.
 * @throws DOCKER_UNAVAILABLE, ENGINE_REFUSED in every call
 */
export function kubernetesEngine(options: KubernetesOptions): Engine {
  const { kubeConfig, namespace, images } = options;
  const [batch, core, network] = [BatchV1Api, CoreV1Api, NetworkingV1Api].map((api) =>
    kubeConfig.makeApiClient(api as never),
  ) as unknown as [BatchV1Api, CoreV1Api, NetworkingV1Api];

  /** One API call. The client accepts no signal, so that a late answer is ignored. */
  async function call<T>(act: Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    using limit = linkSignals([signal], ANSWER_MS);
    try {
      return await raceSignal(act, limit.signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ApiException ? refused(error) : noAnswer(error);
    }
  }

  async function orMissing<T>(act: Promise<T>, abortOptions?: AbortOptions): Promise<T | undefined> {
    try {
      return await call(act, abortOptions);
    } catch (error) {
      if ((error as { cause?: { code?: unknown } }).cause?.code === 404) return undefined;
      throw error;
    }
  }

  async function podOf(name: string, abortOptions?: AbortOptions): Promise<V1Pod | undefined> {
    const labelSelector = `${RUN_LABEL}=${jobName(name)}`;
    return (await call(core.listNamespacedPod({ namespace, labelSelector }), abortOptions)).items[0];
  }

  async function inspect(name: string, abortOptions?: AbortOptions) {
    const job = await orMissing(batch.readNamespacedJob({ namespace, name: jobName(name) }), abortOptions);
    return job && podState(job, await podOf(name, abortOptions));
  }

  async function patch(name: string, spec: object, abortOptions?: AbortOptions): Promise<void> {
    await orMissing(
      batch.patchNamespacedJob({ namespace, name: jobName(name), body: { spec } }, merge),
      abortOptions,
    );
  }

  /**
   * Resolves when the pod's container runs or has ended.
   * @throws KUBERNETES_PENDING after three minutes
   */
  async function started(name: string, abortOptions?: AbortOptions): Promise<V1Pod | undefined> {
    for (const begin = performance.now(); ; await pause(POLL_MS, undefined, abortOptions)) {
      const pod = await podOf(name, abortOptions);
      const state = pod?.status?.containerStatuses?.[0]?.state;
      if (state?.running || state?.terminated) return pod;
      // The Job may have ended since, with its pod or, at a deadline, without.
      if ((await inspect(name, abortOptions))?.status === "exited") return podOf(name, abortOptions);
      const why =
        state?.waiting?.reason ?? pod?.status?.conditions?.find(({ status }) => status === "False")?.message;
      if (performance.now() - begin > START_MS) throw notStarted(why ?? "its pod is pending");
    }
  }

  return {
    async ping(abortOptions) {
      await call(batch.listNamespacedJob({ namespace, limit: 1 }), abortOptions);
    },

    async info(abortOptions) {
      const { items } = await call(core.listNode(), abortOptions);
      const room = (of: "cpu" | "memory") =>
        items.map(({ status }) => kubernetesQuantity(status?.allocatable?.[of] ?? "0"));
      return {
        name: "kubernetes",
        version: items[0]?.status?.nodeInfo?.kubeletVersion ?? "",
        cpus: Math.max(0, ...room("cpu")),
        memoryBytes: Math.max(0, ...room("memory")),
        together: { cpus: sumOf(room("cpu")), memoryBytes: sumOf(room("memory")) },
        runtimes: options.runtimeClass === undefined ? [] : [options.runtimeClass],
        defaultRuntime: "",
        cgroupDriver: "none",
        cgroupVersion: "2",
        securityOptions: [],
        rootDir: "",
        remote: true,
        networkFiltered: true,
        gpus: [],
      };
    },

    async images() {
      const held = { bytes: 0, createdAt: 0, env: [], volumes: [], labels: {}, references: [] };
      return images.map(({ name, digest, reference }) => ({
        ...held,
        id: reference,
        tags: [`ichain/${name}:latest`],
        digest,
      }));
    },
    importRoot: () => Promise.reject(unsupported("import an image")),
    build: () => Promise.reject(unsupported("build an image")),
    pull: () => Promise.reject(unsupported("pull an image")),
    removeImage: () => Promise.resolve(),

    async create(name, settings, abortOptions) {
      const { job, policy } = manifests(name, settings, options);
      // Create the NetworkPolicy before the Job: a pod that starts earlier has network access.
      await call(network.createNamespacedNetworkPolicy({ namespace, body: policy }), abortOptions);
      await call(batch.createNamespacedJob({ namespace, body: job }), abortOptions);
      return jobName(name);
    },

    inspect,

    async list(labels, abortOptions) {
      const labelSelector = Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
      const { items } = await call(batch.listNamespacedJob({ namespace, labelSelector }), abortOptions);
      return items.map(({ metadata }) => {
        const name = metadata?.name ?? "";
        return { id: name, name, imageId: "", labels: metadata?.labels ?? {} };
      });
    },

    async output(name, { signal }) {
      const log = new PassThrough();
      const reading = (async () => {
        const pod = (await started(name, { signal }))?.metadata?.name;
        if (pod === undefined) return log.end();
        const halt = await new Log(kubeConfig).log(namespace, pod, "task", log, { follow: true });
        const link = onAbort(signal, () => halt.abort());
        log.once("close", () => link[Symbol.dispose]());
        return log;
      })();
      reading.catch((error: Error) => log.destroy(error));
      return log;
    },

    async start(name, abortOptions) {
      await patch(name, { suspend: false }, abortOptions);
      await started(name, abortOptions);
    },

    async ended(name, abortOptions) {
      while ((await inspect(name, abortOptions))?.status === "running")
        await pause(POLL_MS, undefined, abortOptions);
    },

    /** Sets the Job's deadline to one second. The kubelet then sends SIGTERM and, after the grace period, SIGKILL. */
    async kill(name, _signal, abortOptions) {
      await patch(name, { activeDeadlineSeconds: 1 }, abortOptions);
    },

    async remove(name, abortOptions) {
      const one = { namespace, name: jobName(name) };
      await orMissing(batch.deleteNamespacedJob({ ...one, propagationPolicy: "Background" }), abortOptions);
      // A pod on a lost node stays listed. The deadline inside its container ends it there.
      for (const begin = performance.now(); performance.now() - begin < REMOVE_MS; ) {
        if ((await podOf(name, abortOptions)) === undefined) break;
        await pause(POLL_MS, undefined, abortOptions);
      }
      await orMissing(network.deleteNamespacedNetworkPolicy(one), abortOptions);
    },

    async *samples() {
      // A cluster has metrics only where an add-on is installed.
    },
  };
}

function sumOf(all: readonly number[]): number {
  return all.reduce((sum, one) => sum + one, 0);
}
