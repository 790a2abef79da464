// `ichain --help` against `node -e 0`: medians of alternating runs, one JSON object on stdout.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const RUNS = 25;
const ichain = fileURLToPath(new URL("../bin/ichain.js", import.meta.url));

function milliseconds(args: readonly string[]): number {
  const begin = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) process.exit(1);
  return performance.now() - begin;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const help: number[] = [];
const node: number[] = [];
for (let run = -2; run < RUNS; run++) {
  const pair = [milliseconds([ichain, "--help"]), milliseconds(["-e", "0"])] as const;
  if (run < 0) continue; // the first pairs warm the disk cache
  help.push(pair[0]);
  node.push(pair[1]);
}
const round = (value: number): number => Math.round(value * 100) / 100;
const result = {
  bench: "start",
  runs: RUNS,
  help_ms: round(median(help)),
  node_ms: round(median(node)),
  ratio: round(median(help) / median(node)),
  limit: 1.6,
};
console.log(JSON.stringify(result));
process.exitCode = result.ratio < result.limit ? 0 : 1;
