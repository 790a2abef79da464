import { createHash } from "node:crypto";
import { relative } from "node:path";
import type { V1Job, V1NetworkPolicy, V1PodSpec } from "@kubernetes/client-node";
import { IchainError } from "../../../errors/error.ts";
import { type ContainerSettings, GRACE_SECONDS } from "../../policy.ts";

/** Where in a cluster tasks run, and which volume holds their folders. */
export interface KubernetesPlacement {
  readonly namespace: string;
  /** The PersistentVolumeClaim that this machine has mounted at `root`. ichain's home folder is below it. */
  readonly claim: string;
  readonly root: string;
  readonly runtimeClass?: string | undefined;
}

/** Label of every object of one run. */
export const RUN_LABEL = "ichain.run";
/** Longest name of an object that is also a DNS label (RFC 1123). */
const MAX_NAME = 63;
/** The Job's deadline is later than the one inside the container by this much. */
const SLACK_SECONDS = 30;
/** The cluster removes a Job itself this long after its end. */
const KEEP_SECONDS = 86_400;

/** A valid Kubernetes name for a container's name: the same where possible, otherwise shortened with a hash. */
export function jobName(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9-]/g, "-");
  if (plain === name && name.length <= MAX_NAME) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 20);
  return `${plain.slice(0, MAX_NAME - 1 - hash.length)}-${hash}`;
}

/**
 * A container's settings as a Job, which is suspended until it is started, and a NetworkPolicy that allows its pod no
 * traffic. Pure. A pod has no fields for a cap on processes, ulimits, masked paths and swap: the nodes must set them.
 * @throws KUBERNETES_PATH when a folder is not on the claim
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
      // Both directions and no rules: all traffic is denied.
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

/** Escapes `$(NAME)`, which the kubelet would expand: it reads `$$` as one dollar. */
function literal(word: string): string {
  return word.replaceAll("$", "$$$$");
}

function onClaim(path: string, root: string): string {
  const below = relative(root, path);
  if (below !== "" && !below.startsWith("..")) return below;
  throw new IchainError("KUBERNETES_PATH", `${path} does not lie on the claim mounted at ${root}.`);
}
