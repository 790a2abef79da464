import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { openBenchmark } from "../compose.ts";
import { keepBenchmark, measureMachine } from "../roles/rehearsal/measure-machine.ts";
import type { CommandContext } from "./framework/declaration.ts";

const SEEDS = 2 ** 32;
/** For which CPU and GPU are measured, each. */
const SECONDS = 5;

const programs = fileURLToPath(new URL("../../python/benchmark/", import.meta.url));

/** Measures this machine in the sandbox, and keeps the score for the offers that are published from this home. */
export async function run(context: CommandContext, _args: object, options: { seed?: number }): Promise<void> {
  const { ui, signal, config } = context;
  await using opened = await openBenchmark(context);
  const { sandbox, dir } = opened;
  const { seed = randomInt(SEEDS) } = options;
  ui.reporter.emit({ kind: "start", id: "benchmark", text: "Measuring this machine" });
  const now = Math.floor(Date.now() / 1000);
  const request = { programs, dir, seed, seconds: SECONDS, now };
  const { benchmark, checksum, gpuFailed } = await measureMachine(sandbox, request, { signal });
  ui.reporter.emit({ kind: "end", id: "benchmark", text: "Measured this machine" });
  if (gpuFailed) ui.reporter.emit({ kind: "warn", text: "The GPU could not be measured in the sandbox." });
  await keepBenchmark(config.home, benchmark);
  ui.print({ seed, checksum, benchmark }, () =>
    [
      `One CPU: ${benchmark.cpu} GFLOP/s. Disk: ${benchmark.disk} MiB/s. GPU: ${gpuScore(benchmark.gpu)}.`,
      `Seed ${seed}, checksum ${checksum}.`,
      "The offer has it from the next start of `ichain provide` or `ichain validate` on.",
    ].join("\n"),
  );
}

const gpuScore = (gpu: number | undefined): string => (gpu === undefined ? "none" : `${gpu} GFLOP/s`);
