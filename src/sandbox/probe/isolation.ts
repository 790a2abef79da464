import { IchainError } from "../../errors/error.ts";
import type { EngineInfo } from "../engines/engine.ts";

/** Splits a probe's log at its marks, lines like `=name`. */
export function sections(log: string): Record<string, string> {
  const parts = log.split(/^=(\w+)$/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((part, i) => (i % 2 === 0 ? [[part, (parts[i + 1] ?? "").trim()] as const] : [])),
  );
}

/**
 * Judges from inside a container whether the walls stand that an engine may not be able to set for each
 * task: no network but the loopback, no gaining of privileges, a seccomp filter. A kernel of the sandbox's
 * own (gVisor) tells nothing about the latter two. Where a policy silences the network, what counts is that
 * nothing is reached. Pure; throws `SANDBOX_OPEN`.
 */
export function checkIsolation(
  log: string,
  { name: where, networkFiltered = false }: Pick<EngineInfo, "name" | "networkFiltered">,
): void {
  const { walls = "", net = "", reach = "", kernel = "" } = sections(log);
  const reachable = [...net.matchAll(/^\s*([^\s:|]+):/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "lo");
  if (/reached/.test(reach)) throw open(where, "a task there reaches the cluster's network");
  if (reachable.length > 0 && !networkFiltered)
    throw open(where, `a task there has a network (${reachable.join(", ")})`);
  if (networkFiltered && !/tried/.test(reach))
    throw open(where, "the image has no Python to try its network with");
  if (/Starting gVisor/.test(kernel)) return;
  if (!/^NoNewPrivs:\s*1$/m.test(walls)) throw open(where, "a task there can gain privileges");
  if (!/^Seccomp:\s*2$/m.test(walls)) throw open(where, "a task there runs without a seccomp filter");
  if (!/^CapEff:\s*0+$/m.test(walls)) throw open(where, "a task there has capabilities");
}

function open(where: string, why: string): IchainError {
  return new IchainError("SANDBOX_OPEN", `The sandbox on ${where} does not hold: ${why}.`, {
    details: { where },
  });
}
