import { createHash } from "node:crypto";
import { type ContainerSettings, GRACE_SECONDS } from "../../policy.ts";
import { GPU_KIND } from "../resources.ts";

/** Longest name of a service that Swarm accepts. */
const MAX_NAME = 63;

/** The name of a service for a container's name: the same, or shortened with a hash. */
export function serviceName(name: string): string {
  if (name.length <= MAX_NAME) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 20);
  return `${name.slice(0, MAX_NAME - 1 - hash.length)}-${hash}`;
}

export type ServiceSpec = ReturnType<typeof serviceSpec>;

/**
 * A container's settings as a Swarm service: a replicated job of one task, which starts when `TotalCompletions` becomes
 * 1. Pure. Swarm's API has no fields for a network of `none`, `no-new-privileges`, seccomp and masked paths: they are
 * settings of the nodes, which `checkIsolation` checks. The service sets how many GPUs a task gets, Swarm which ones.
 */
export function serviceSpec(name: string, settings: ContainerSettings, constraints: readonly string[]) {
  const { HostConfig: host } = settings;
  const gpus = host.DeviceRequests?.[0]?.DeviceIDs.length ?? 0;
  const room = { NanoCPUs: host.NanoCpus, MemoryBytes: host.Memory };
  return {
    Name: serviceName(name),
    Labels: settings.Labels as Readonly<Record<string, string>>,
    Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 0 } },
    TaskTemplate: {
      ContainerSpec: {
        // An id, never a tag: a node runs its own image with this id and asks no registry.
        Image: settings.Image,
        Command: settings.Entrypoint,
        Args: settings.Cmd,
        Env: settings.Env,
        User: settings.User,
        Dir: settings.WorkingDir,
        Hostname: settings.Hostname,
        Labels: settings.Labels as Readonly<Record<string, string>>,
        ReadOnly: host.ReadonlyRootfs,
        CapabilityDrop: host.CapDrop,
        CapabilityAdd: [],
        // Supported from API 1.46 on, and ignored by older engines.
        Privileges: { NoNewPrivileges: true },
        Init: false,
        TTY: settings.Tty,
        OpenStdin: settings.OpenStdin,
        StopSignal: settings.StopSignal,
        StopGracePeriod: GRACE_SECONDS * 1e9,
        HealthCheck: settings.Healthcheck,
        Ulimits: host.Ulimits,
        // No DNS, in case a node has a network in spite of its required settings.
        DNSConfig: { Nameservers: ["127.0.0.1"] },
        Mounts: [...host.Mounts, tmpfs("/tmp", sizeOf(host.Tmpfs["/tmp"])), tmpfs("/dev/shm", host.ShmSize)],
      },
      Resources: {
        Limits: { ...room, Pids: host.PidsLimit },
        Reservations: {
          ...room,
          GenericResources: gpus > 0 ? [{ DiscreteResourceSpec: { Kind: GPU_KIND, Value: gpus } }] : [],
        },
      },
      RestartPolicy: { Condition: "none", MaxAttempts: 0 },
      Placement: { Constraints: [...constraints] },
      LogDriver: { Name: host.LogConfig.Type, Options: host.LogConfig.Config },
      Networks: [],
    },
  };
}

/** Mounted `nosuid,nodev,noexec`, which Swarm does not let a service change. */
function tmpfs(target: string, bytes: number) {
  return { Type: "tmpfs" as const, Target: target, TmpfsOptions: { SizeBytes: bytes, Mode: 0o1777 } };
}

function sizeOf(options: string): number {
  return Number(/(?:^|,)size=(\d+)/.exec(options)?.[1] ?? 0);
}
