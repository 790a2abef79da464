import { existsSync } from "node:fs";
import { cp, readdir, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { openRehearsal } from "../../compose.ts";
import { IchainError } from "../../errors/error.ts";
import {
  type Rehearsal,
  type RehearsalRequest,
  type RehearsedRun,
  rehearse,
} from "../../roles/rehearsal/rehearse.ts";
import { bytes, duration } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { LoadedJob } from "../steps/job-file.ts";

/**
 * Runs a job in this machine's own sandbox, as a provider and a validator would, and prints what came of it.
 * @throws LOCAL_RUN_FAILED where they would not confirm a result; TARGET_EXISTS
 */
export async function runLocally(
  context: CommandContext,
  { file, folder }: LoadedJob,
  { out, next }: { out?: string | undefined; next: string },
): Promise<void> {
  const { ui, signal } = context;
  const target = out === undefined ? freshFolder() : resolve(out);
  if (existsSync(target)) throw new IchainError("TARGET_EXISTS", `The folder ${target} exists already.`);
  await using local = await openRehearsal(context);
  const { dir, key } = local;
  let current: Parameters<RehearsalRequest["onRun"]>[0] | undefined;
  const rehearsal = await rehearse(
    local,
    {
      ...{ file, folder, dir, key },
      onRun(run) {
        current = run;
        const from = run.checkpoint === undefined ? "" : `, from checkpoint ${run.checkpoint}`;
        const text = `Running the task with argument ${run.argument}, as its ${run.by} does${from}`;
        ui.reporter.emit({ kind: "info", text });
      },
      onLog: (text) => ui.stream({ ...current, text }, text),
    },
    { signal },
  );
  const files = rehearsal.result === undefined ? [] : await filesIn(rehearsal.result);
  if (rehearsal.result !== undefined) await cp(rehearsal.result, target, { recursive: true });
  const { metric, threshold } = file.verification;
  const data = {
    vote: rehearsal.vote,
    metric: { name: metric, value: rehearsal.value, threshold },
    runs: rehearsal.runs.map(told),
    ...(rehearsal.checkpoint !== undefined && { checkpoint: rehearsal.checkpoint }),
    ...(rehearsal.result !== undefined && {
      folder: target,
      files: files.map(({ path }) => path),
      bytes: files.reduce((sum, { size }) => sum + size, 0),
    }),
  };
  if (rehearsal.vote !== "pass") throw failure(rehearsal, data);
  ui.print(data, () =>
    [
      "",
      ui.table(["RUN", "BY", "TIME", "MEMORY", "EXIT"], rehearsal.runs.map(row(file.resources))),
      "",
      `A validator would confirm the result: ${metric} is ${rehearsal.value}, and the threshold is ${threshold}.`,
      ...(file.resources.checkpoint === undefined ? [] : [checkpointText(rehearsal.checkpoint)]),
      `It lies in ${data.folder} (${files.length} ${files.length === 1 ? "file" : "files"}, ${bytes(data.bytes ?? 0)}).`,
      `Next: ${next}`,
    ].join("\n"),
  );
}

function checkpointText(checkpoint: number | undefined): string {
  return checkpoint === undefined
    ? "The job asks for checkpoints, and the task left none: what a lost provider has done would be done again."
    : `Another provider could go on from its checkpoint ${checkpoint}.`;
}

function freshFolder(): string {
  for (let number = 1; ; number += 1) {
    const path = resolve(number === 1 ? "result-local" : `result-local-${number}`);
    if (!existsSync(path)) return path;
  }
}

async function filesIn(folder: string): Promise<{ path: string; size: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sized = paths.map(async (path) => ({ path: relative(folder, path), size: (await stat(path)).size }));
  return (await Promise.all(sized)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function told({ by, argument, checkpoint, metrics, run }: RehearsedRun) {
  const { ended, exitCode, wallSeconds, cpuSeconds, peakMemoryBytes } = run;
  const from = checkpoint !== undefined && { checkpoint };
  return { by, argument, ...from, ended, exitCode, wallSeconds, cpuSeconds, peakMemoryBytes, metrics };
}

function row({ time, memory }: { time: number; memory: number }) {
  return ({ by, argument, checkpoint, run }: RehearsedRun): string[] => [
    checkpoint === undefined ? argument : `${argument} from ${checkpoint}`,
    by,
    `${duration(run.wallSeconds)} of ${duration(time)}`,
    `${bytes(run.peakMemoryBytes)} of ${bytes(memory)}`,
    String(run.exitCode),
  ];
}

function failure({ vote, reason }: Rehearsal, data: { folder?: string }): IchainError {
  const message =
    vote === undefined
      ? `No result of this job would be confirmed: ${reason}.`
      : `A validator would not confirm the result: ${reason}.`;
  const kept = data.folder === undefined ? "" : ` What it left lies in ${data.folder}.`;
  return new IchainError("LOCAL_RUN_FAILED", message, {
    hint: `Correct the task, its threshold or its resources, and run it again; no money has moved.${kept}`,
    details: { ...data },
  });
}
