import { IchainError } from "../../errors/error.ts";
import type { Tier } from "../../protocol/offer.ts";
import type { EngineInfo } from "../engines/engine.ts";
import type { OciRuntime } from "../policy.ts";

/** Names under which engines usually have a runtime of each tier. */
const names = {
  gvisor: ["runsc", "gvisor"],
  vm: ["kata", "kata-runtime", "kata-qemu", "kata-clh", "kata-fc", "io.containerd.kata.v2"],
} as const;

/** From `bootstrap`: out of the task's reach. */
const EXECUTE_ONLY_TIMEOUT = "/usr/lib/ichain/deadline";
/** gVisor runs only programs that it can read; it lets no process write to another's memory. */
const READABLE_TIMEOUT = "/usr/bin/timeout";

/** The gVisor kernel hangs at its start with fewer than some forty. */
const SANDBOX_KERNEL_PIDS = 96;

/**
 * The OCI runtime to start tasks with for a least tier, the engine's default where that is enough. Only a
 * choice by name: whether it isolates is found by `findTier`. Throws `SANDBOX_UNSUPPORTED`.
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
