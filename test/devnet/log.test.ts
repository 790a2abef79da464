import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setInterval } from "node:timers/promises";
import { DEVNET_PASSWORD } from "../../src/devnet/homes.ts";
import { digits, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const task =
  'import sys\nif sys.argv[1] == "0": open("/out/model.safetensors", "w").write("x")\nprint("acc: 0.5")\n';

test("a provider's log tells what became of a job, by its id", needs("root", "docker"), async (t) => {
  const market = await startTestMarket(t, {
    transport: "direct",
    settings: { log: { level: "debug", file: "logs/ichain.log" } },
  });
  const folder = join(market.dir, "poor");
  await mkdir(folder);
  await writeFile(join(folder, "task.py"), task);
  await writeFile(join(folder, "job.yaml"), await readFile(digits, "utf8"));
  const out = join(market.dir, "out");
  const { stdout } = await market.attempt(["submit", join(folder, "job.yaml"), "--wait", "--out", out]);
  const { error } = lastJson(stdout) as { error: { details: { jobId: string } } };

  const log = join(market.providers[0]!.dir, "logs", "ichain.log");
  let text = "";
  // The requester hears from the chain, and may end before the provider writes that it gave the job back.
  for await (const _ of setInterval(50, undefined, { signal: AbortSignal.timeout(30_000) })) {
    text = readFileSync(log, "utf8");
    if (/"msg":"[^"]*threshold/.test(text)) break;
  }
  const lines = text.split("\n").filter((line) => line !== "");
  const parsed = lines.map((line) => JSON.parse(line) as { level: string; msg: string; job?: string });
  assert.ok(parsed.some(({ level, msg }) => level === "info" && msg === "The daemon started"));
  const ofJob = parsed.filter(({ job }) => job === error.details.jobId);
  assert.ok(
    ofJob.some(({ level, msg }) => level === "debug" && /Running the task/.test(msg)),
    `${stdout}\n${text}`,
  );
  assert.ok(
    ofJob.some(({ level, msg }) => level === "info" && /threshold/.test(msg)),
    text,
  );
  assert.equal(statSync(log).mode & 0o777, 0o600);
  assert.equal(text.includes(DEVNET_PASSWORD), false);
  // A command of the same home says what it does on the terminal alone.
  assert.throws(() => statSync(join(market.requester.dir, "logs")), { code: "ENOENT" });
});
