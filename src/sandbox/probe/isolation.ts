import { IchainError } from "../../errors/error.ts";
import type { EngineInfo } from "../engines/engine.ts";
import { sections } from "./sections.ts";

/**
 * Judges from inside a container whether the walls stand that an engine may not be able to set for each
 * task: no network but the loopback, no gaining of privileges, a seccomp filter. A kernel of the sandbox's
 * own (gVisor) tells nothing about the latter two. Where a policy silences the network, what counts is that
 * nothing is reached. Pure; throws `SANDBOX_OPEN`.
 */
export function checkIsolation(
  log: string,
  { name: where, silenced = false }: Pick<EngineInfo, "name" | "silenced">,
): void {
  const { walls = "", net = "", reach = "", kernel = "" } = sections(log);
  const reachable = [...net.matchAll(/^\s*([^\s:|]+):/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "lo");
  if (/reached/.test(reach)) throw open(where, "a task there reaches the cluster's network");
  if (reachable.length > 0 && !silenced)
    throw open(where, `a task there has a network (${reachable.join(", ")})`);
  if (silenced && !/tried/.test(reach)) throw open(where, "the image has no Python to try its network with");
  if (/Starting gVisor/.test(kernel)) return;
  if (!/^NoNewPrivs:\s*1$/m.test(walls)) throw open(where, "a task there can gain privileges");
  if (!/^Seccomp:\s*2$/m.test(walls)) throw open(where, "a task there runs without a seccomp filter");
  if (!/^CapEff:\s*0+$/m.test(walls)) throw open(where, "a task there has capabilities");
}

function open(where: string, why: string): IchainError {
  return new IchainError(`The sandbox on ${where} does not hold: ${why}.`, {
    code: "SANDBOX_OPEN",
    class: "unavailable",
    hint: 'A swarm\'s nodes need "bridge": "none", "no-new-privileges": true and "seccomp-profile" in /etc/docker/daemon.json.',
    details: { where },
  });
}
