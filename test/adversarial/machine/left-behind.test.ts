import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { parse, stringify } from "yaml";
import { digits, lastJson, startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

it(
  "a requester's disk is not filled by jobs that are over: bundle and opened result go",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const { dir } = market.requester;
    const flags = ["--provider", "best", "--validator", "best", "--wait"];
    const out = join(market.dir, "out");
    const { jobId } = await market.ichain(["submit", digits, ...flags, "--out", out]);
    const folder = join(dir, "jobs", "requester", String(jobId).slice(2));
    assert.deepEqual(
      ["bundle.parcel", "result.parcel", "result"].map((name) => existsSync(join(folder, name))),
      [false, true, false],
    );
    // A second `get` works for as long as the configuration says ...
    assert.deepEqual((await market.ichain(["get", String(jobId), "-o", join(market.dir, "again")])).files, [
      "model.safetensors",
    ]);
    const config = join(dir, "config.yaml");
    writeFileSync(config, stringify({ ...parse(readFileSync(config, "utf8")), keep: { resultDays: 0 } }));
    // ... and says afterwards where the result was written.
    const { stdout } = await market.attempt(["get", String(jobId), "-o", join(market.dir, "third")]);
    const { error } = lastJson(stdout) as { error: { code: string; details: { folder: string } } };
    assert.deepEqual([error.code, error.details.folder], ["RESULT_REMOVED", out]);
    assert.equal(existsSync(join(folder, "result.parcel")), false);
  },
);
