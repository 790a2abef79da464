import { createHash } from "node:crypto";
import { relative } from "node:path";
import type { V1Job, V1NetworkPolicy, V1PodSpec } from "@kubernetes/client-node";
import { IchainError } from "../../../errors/error.ts";
import { type ContainerSettings, GRACE_SECONDS } from "../../policy.ts";

/** Where in a cluster tasks run, and how their folders get there. */
export interface KubernetesPlacement {
  readonly namespace: string;
  /** The PersistentVolumeClaim whose root this machine has mounted at `root`; ichain's home is below it. */
  readonly claim: string;
  readonly root: string;
  readonly runtimeClass?: string | undefined;
}

/** Label of everything that belongs to one run. */
export const RUN_LABEL = "ichain.run";
const MOST_NAME = 63;
/** The cluster's own deadline comes after the one inside. */
const SLACK_SECONDS = 30;
/** What nobody removed the cluster removes a day after its end. */
const KEEP_SECONDS = 86_400;

/** A container's name as one that Kubernetes takes. */
export function jobName(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9-]/g, "-");
  if (plain === name && name.length <= MOST_NAME) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 20);
  return `${plain.slice(0, MOST_NAME - 1 - hash.length)}-${hash}`;
}

/**
 * A container's settings as a Job, suspended until it is started, and the NetworkPolicy that lets nothing
 * in or out of its pod. Pure. What a pod's spec has no word for (a cap on processes, ulimits, masked paths,
 * swap) is the nodes' own. Throws `KUBERNETES_PATH` for a folder that does not lie on the claim.
 */
export function manifests(
  name: string,
  settings: ContainerSettings,
  place: KubernetesPlacement,
): { job: V1Job; policy: V1NetworkPolicy } {
  const run = jobName(name);
  const labels = { ...settings.Labels, [RUN_LABEL]: run };
  const metadata = { name: run, namespace: place.namespace, labels };
  const seconds = Number(settings.Entrypoint.at(-1));
  return {
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata,
      spec: {
        suspend: true,
        parallelism: 1,
        completions: 1,
        backoffLimit: 0,
        activeDeadlineSeconds: seconds + SLACK_SECONDS,
        ttlSecondsAfterFinished: KEEP_SECONDS,
        template: { metadata: { labels }, spec: podSpec(settings, place) },
      },
    },
    policy: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata,
      // Both directions are named and no rule follows: nothing passes.
      spec: { podSelector: { matchLabels: { [RUN_LABEL]: run } }, policyTypes: ["Ingress", "Egress"] },
    },
  };
}

function podSpec(settings: ContainerSettings, place: KubernetesPlacement): V1PodSpec {
  const { HostConfig: host } = settings;
  const [uid = 0, gid = 0] = settings.User.split(":").map(Number);
  const room = { cpu: `${Math.ceil(host.NanoCpus / 1e6)}m`, memory: String(host.Memory) };
  const tmpBytes = /(?:^|,)size=(\d+)/.exec(host.Tmpfs["/tmp"])?.[1] ?? "0";
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    shareProcessNamespace: false,
    hostname: settings.Hostname,
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["127.0.0.1"] },
    terminationGracePeriodSeconds: GRACE_SECONDS,
    ...(place.runtimeClass === undefined ? {} : { runtimeClassName: place.runtimeClass }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: gid,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "task",
        image: settings.Image,
        imagePullPolicy: "IfNotPresent",
        command: settings.Entrypoint.map(literal),
        args: settings.Cmd.map(literal),
        workingDir: settings.WorkingDir,
        env: settings.Env.map((entry) => {
          const at = entry.indexOf("=");
          return { name: entry.slice(0, at), value: literal(entry.slice(at + 1)) };
        }),
        securityContext: {
          privileged: false,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { limits: room, requests: room },
        volumeMounts: [
          ...host.Mounts.map(({ Source, Target, ReadOnly }) => ({
            name: "data",
            mountPath: Target,
            subPath: onClaim(Source, place.root),
            readOnly: ReadOnly,
          })),
          { name: "tmp", mountPath: "/tmp" },
          { name: "shm", mountPath: "/dev/shm" },
        ],
      },
    ],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName: place.claim } },
      { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: tmpBytes } },
      { name: "shm", emptyDir: { medium: "Memory", sizeLimit: String(host.ShmSize) } },
    ],
  };
}

/** The kubelet expands `$(NAME)`; a doubled dollar is one dollar to it. */
function literal(word: string): string {
  return word.replaceAll("$", "$$$$");
}

function onClaim(path: string, root: string): string {
  const below = relative(root, path);
  if (below !== "" && !below.startsWith("..")) return below;
  throw new IchainError("KUBERNETES_PATH", `${path} does not lie on the claim mounted at ${root}.`);
}
