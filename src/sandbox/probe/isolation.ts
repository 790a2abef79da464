import { IchainError } from "../../errors/error.ts";
import type { EngineInfo } from "../engines/engine.ts";

/** The sections of a probe's log by name; each begins with a line `=name`. */
export function sections(log: string): Record<string, string> {
  const parts = log.split(/^=(\w+)$/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((part, i) => (i % 2 === 0 ? [[part, (parts[i + 1] ?? "").trim()] as const] : [])),
  );
}

/**
 * Checks from a probe's log the isolation that some engines cannot set for each task: no network but the loopback,
 * no new privileges, a seccomp filter, no capabilities. gVisor's own kernel does not report the last three. Where a
 * network policy filters the traffic, interfaces are allowed and the probe must reach nothing. Pure.
 * @throws SANDBOX_OPEN
 */
export function checkIsolation(
  log: string,
  { name: engine, networkFiltered = false }: Pick<EngineInfo, "name" | "networkFiltered">,
): void {
  const { status = "", net = "", reach = "", kernel = "" } = sections(log);
  const reachable = [...net.matchAll(/^\s*([^\s:|]+):/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "lo");
  if (/reached/.test(reach)) throw notIsolated(engine, "a task there reaches the cluster's network");
  if (reachable.length > 0 && !networkFiltered)
    throw notIsolated(engine, `a task there has a network interface (${reachable.join(", ")})`);
  if (networkFiltered && !/tried/.test(reach))
    throw notIsolated(engine, "the image has no Python to test its network with");
  if (/Starting gVisor/.test(kernel)) return;
  if (!/^NoNewPrivs:\s*1$/m.test(status)) throw notIsolated(engine, "a task there can gain privileges");
  if (!/^Seccomp:\s*2$/m.test(status))
    throw notIsolated(engine, "a task there runs without a seccomp filter");
  if (!/^CapEff:\s*0+$/m.test(status)) throw notIsolated(engine, "a task there has capabilities");
}

function notIsolated(where: string, why: string): IchainError {
  return new IchainError("SANDBOX_OPEN", `The sandbox on ${where} does not isolate tasks: ${why}.`, {
    details: { where },
  });
}
