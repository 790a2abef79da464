import { join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { inspectOutputs } from "../outputs/inspect.ts";
import type { OutputSpace } from "../outputs/space.ts";
import type { RunConfig } from "./context.ts";
import { type RunRecord, readRecord } from "./record.ts";

/** The limits were checked when the task had ended. */
const UNLIMITED = { maxBytes: Infinity, maxFiles: Infinity, maxDepth: Infinity };

/** Whether a recorded run's outputs are all there, also after a reboot or a power cut. */
export async function outputsAreWhole(
  out: OutputSpace,
  { outputs }: RunRecord,
  options: AbortOptions = {},
): Promise<boolean> {
  if (outputs === undefined) return true;
  if (!(await out.restore(options))) return false;
  await out.seal(options);
  const found = await inspectOutputs(out.dir, UNLIMITED, options).catch(() => undefined);
  options.signal?.throwIfAborted();
  return found?.bytes === outputs.bytes && found.files === outputs.files;
}

/** See `Sandbox.outputs`. */
export async function findOutputs(
  { runsDir, outSpace }: RunConfig,
  id: string,
  options: AbortOptions = {},
): Promise<string> {
  const home = join(runsDir, id);
  const out = outSpace(home);
  const record = await readRecord(home);
  if (record?.outputs === undefined || !(await outputsAreWhole(out, record, options))) throw outputsLost(id);
  return out.dir;
}

export function outputsLost(id: string): IchainError {
  return new IchainError("OUTPUTS_LOST", `The outputs of the run ${id} are not there any more.`);
}
