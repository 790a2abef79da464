import { IchainError } from "../../errors.ts";
import type { Tier } from "../../protocol/offer.ts";
import type { EngineInfo } from "../engines/engine.ts";

/** Names under which engines usually have a runtime of each tier. */
const names = {
  gvisor: ["runsc", "gvisor"],
  vm: ["kata", "kata-runtime", "kata-qemu", "kata-clh", "kata-fc", "io.containerd.kata.v2"],
} as const;

/**
 * The OCI runtime to start tasks with for a least tier; undefined for the engine's default. Only a
 * choice by name: whether it isolates is found by `findTier`. Throws `SANDBOX_UNSUPPORTED`.
 */
export function chooseRuntime(info: EngineInfo, least: Tier): string | undefined {
  if (least === "runc" || least === "userns") return undefined;
  const candidates = least === "gvisor" ? [...names.gvisor, ...names.vm] : names.vm;
  const found = candidates.find((name) => info.runtimes.includes(name));
  if (found !== undefined) return found;
  throw new IchainError(`The engine has no runtime of tier ${least} (it has ${info.runtimes.join(", ")}).`, {
    code: "SANDBOX_UNSUPPORTED",
    class: "unavailable",
    hint:
      least === "gvisor"
        ? 'Install runsc and add {"runtimes":{"runsc":{"path":"/usr/bin/runsc","runtimeArgs":["--network=none"]}}} to /etc/docker/daemon.json.'
        : "Install Kata Containers and register its runtime with the engine.",
  });
}
