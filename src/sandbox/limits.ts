import { IchainError } from "../errors/error.ts";
import type { Limits } from "../ports/sandbox.ts";
import { leastTask } from "../protocol/limits.ts";

/**
 * Limits no greater than those that the job asks for and those of this machine (`ceiling`), each in the units of
 * `Limits`.
 * @throws LIMITS_INVALID when a limit is not a number or is below the least that a task can start with
 */
export function tighten(asked: Limits, ceiling: Limits): Limits {
  return {
    cpus: bound("cpus", asked, ceiling),
    memoryBytes: Math.floor(bound("memoryBytes", asked, ceiling)),
    diskBytes: Math.floor(bound("diskBytes", asked, ceiling)),
    wallSeconds: Math.ceil(bound("wallSeconds", asked, ceiling)),
    pids: Math.floor(bound("pids", asked, ceiling)),
    logBytes: Math.floor(bound("logBytes", asked, ceiling)),
  };
}

function bound(name: keyof Limits, asked: Limits, ceiling: Limits): number {
  const value = Math.min(asked[name], ceiling[name]);
  if (Number.isFinite(value) && value >= leastTask[name]) return value;
  throw new IchainError(
    "LIMITS_INVALID",
    `The task's limit ${name} is ${asked[name]}; at least ${leastTask[name]} is needed.`,
    { details: { limit: name, asked: asked[name], ceiling: ceiling[name] } },
  );
}
