import { IchainError } from "../errors/error.ts";
import type { Limits } from "../ports/sandbox.ts";
import { leastTask } from "../protocol/limits.ts";

/** The smaller of what was asked and what is allowed, each; throws `LIMITS_INVALID`. */
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
