import { IchainError } from "../../errors/error.ts";
import type { Tier } from "../../protocol/offer.ts";
import type { EngineInfo } from "../engines/engine.ts";
import type { OciRuntime } from "../policy.ts";

/** Usual names of the runtimes of each tier. */
const names = {
  gvisor: ["runsc", "gvisor"],
  vm: ["kata", "kata-runtime", "kata-qemu", "kata-clh", "kata-fc", "io.containerd.kata.v2"],
} as const;

/** Installed by `bootstrap`: the task can neither trace nor write to a process of it. */
const EXECUTE_ONLY_TIMEOUT = "/usr/lib/ichain/deadline";
/** gVisor runs only programs that it can read, and lets no process write to another's memory. */
const READABLE_TIMEOUT = "/usr/bin/timeout";

/** Threads allowed for the runtime's own kernel. gVisor's hangs at its start with fewer than about forty. */
const SANDBOX_KERNEL_PIDS = 96;

/**
 * The OCI runtime for tasks of at least the tier `least`: the engine's default for `runc` and `userns`, otherwise one by
 * its usual name. `findTier` finds out whether it isolates as it should.
 * @throws SANDBOX_UNSUPPORTED
 */
export function chooseRuntime(info: EngineInfo, least: Tier): OciRuntime {
  if (least === "runc" || least === "userns")
    return { name: undefined, ownPids: 0, deadline: EXECUTE_ONLY_TIMEOUT };
  const candidates = least === "gvisor" ? [...names.gvisor, ...names.vm] : names.vm;
  const found = candidates.find((name) => info.runtimes.includes(name));
  if (found !== undefined) return { name: found, ownPids: SANDBOX_KERNEL_PIDS, deadline: READABLE_TIMEOUT };
  throw new IchainError(
    "SANDBOX_UNSUPPORTED",
    `The engine has no runtime of tier ${least} (it has ${info.runtimes.join(", ")}).`,
    {
      hint:
        least === "gvisor"
          ? 'Install runsc and add {"runtimes":{"runsc":{"path":"/usr/bin/runsc","runtimeArgs":["--network=none","--oci-seccomp"]}}} to /etc/docker/daemon.json.'
          : "Install Kata Containers and register its runtime with the engine.",
    },
  );
}

/**
 * The same for an image of a registry, which has coreutils at best. The task can trace it, and so end the deadline inside;
 * the one outside holds while the daemon lives.
 */
export function inPulled(runtime: OciRuntime): OciRuntime {
  return { ...runtime, deadline: READABLE_TIMEOUT };
}
