import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { openBenchmark } from "../compose.ts";
import type { Benchmark } from "../protocol/machine/benchmark.ts";
import { keepBenchmark, type MachineScore, measureMachine } from "../roles/rehearsal/measure-machine.ts";
import type { CommandContext } from "./framework/declaration.ts";

const SEEDS = 2 ** 32;
/** For which CPU and GPU are measured, each. */
const SECONDS = 5;

const programs = fileURLToPath(new URL("../../python/benchmark/", import.meta.url));

/** Measures this machine in the sandbox, and keeps the score for the offers that are published from this home. */
export async function run(context: CommandContext, _args: object, options: { seed?: number }): Promise<void> {
  const { seed = randomInt(SEEDS) } = options;
  const { benchmark, checksum } = await measureAndKeep(context, seed);
  context.ui.print({ seed, checksum, benchmark }, () =>
    [
      scoreSentence(benchmark),
      `Seed ${seed}, checksum ${checksum}.`,
      "The offer has it from the next start of `ichain provide` or `ichain validate` on.",
    ].join("\n"),
  );
}

/**
 * The same without a word about it; `seed` is drawn when absent.
 * @throws HOME_BUSY and the codes of `measureMachine`
 */
export async function measureAndKeep(
  context: CommandContext,
  seed: number = randomInt(SEEDS),
): Promise<Pick<MachineScore, "benchmark" | "checksum">> {
  const { ui, signal, config } = context;
  await using opened = await openBenchmark(context);
  const { sandbox, dir } = opened;
  ui.reporter.emit({ kind: "start", id: "benchmark", text: "Measuring this machine" });
  const now = Math.floor(Date.now() / 1000);
  const request = { programs, dir, seed, seconds: SECONDS, now };
  const { benchmark, checksum, gpuFailed } = await measureMachine(sandbox, request, { signal });
  ui.reporter.emit({ kind: "end", id: "benchmark", text: "Measured this machine" });
  if (gpuFailed) ui.reporter.emit({ kind: "warn", text: "The GPU could not be measured in the sandbox." });
  await keepBenchmark(config.home, benchmark);
  return { benchmark, checksum };
}

export function scoreSentence({ cpu, disk, gpu }: Benchmark): string {
  return `One CPU: ${cpu} GFLOP/s. Disk: ${disk} MiB/s. GPU: ${gpuScore(gpu)}.`;
}

const gpuScore = (gpu: number | undefined): string => (gpu === undefined ? "none" : `${gpu} GFLOP/s`);
