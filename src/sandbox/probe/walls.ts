import { IchainError } from "../../errors.ts";
import { sections } from "./sections.ts";

/**
 * Judges from inside a container whether the walls stand that an engine may not be able to set for each
 * task: no network but the loopback, no gaining of privileges, a seccomp filter. A kernel of the sandbox's
 * own (gVisor) tells nothing about the latter two. Pure; throws `SANDBOX_OPEN`.
 */
export function checkWalls(log: string, where: string): void {
  const { walls = "", net = "", kernel = "" } = sections(log);
  const reachable = [...net.matchAll(/^\s*([^\s:|]+):/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "lo");
  if (reachable.length > 0) throw open(where, `a task there has a network (${reachable.join(", ")})`);
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
