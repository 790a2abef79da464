import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** Resolves with the first line of JSON that it prints. */
function firstLine(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
    });
    child.once("close", () => reject(new Error(`it ended: ${text}`)));
  });
}

it("a requester that leaves after posting is served to the end, through a crash of its server", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const submit = ["submit", digits, "--provider", "best", "--validator", "best", "--detach"];
  const early = await market.attempt(submit);
  assert.equal((lastJson(early.stdout) as { error: { code: string } }).error.code, "SERVE_NOT_RUNNING");
  assert.deepEqual((await market.ichain(["jobs", "--all"])).jobs, []);

  const first = market.launch(["serve"]);
  t.after(() => first.kill("SIGKILL"));
  assert.deepEqual(await firstLine(first), {
    ...{ event: "serving", account: market.requester.account, jobs: 0 },
  });
  const second = await market.attempt(["serve"]);
  assert.equal((lastJson(second.stdout) as { error: { code: string } }).error.code, "HOME_BUSY");

  const posted = await market.ichain(submit);
  assert.equal(posted.state, "Posted");
  await market.state("Submitted");
  const killed = ended(first);
  first.kill("SIGKILL");
  await killed;

  const again = market.launch(["serve"]);
  t.after(() => again.kill("SIGKILL"));
  assert.equal((await firstLine(again)).jobs, 1);
  const busy = await market.attempt(["resume", String(posted.jobId)]);
  assert.equal((lastJson(busy.stdout) as { error: { code: string } }).error.code, "JOB_BUSY");
  await market.state("Settled");
  const out = join(market.dir, "model");
  await market.ichain(["get", String(posted.jobId), "--out", out]);
  assert.ok((await readFile(join(out, "model.safetensors"))).length > 0);
  const left = ended(again);
  again.kill("SIGINT");
  assert.equal((await left).code, 130);
});
