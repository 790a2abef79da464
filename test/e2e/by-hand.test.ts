import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, startTestMarket } from "../support/market/market.ts";
import { openByHand } from "../support/parcel/gpg.ts";
import { needs } from "../support/require.ts";

it(
  "a result in the compatibility profile is opened with gpg, as the manual says",
  needs("root", "docker", "gpg", "zstd"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct", settings: { compatibility: "gpg" } });
    const out = join(market.dir, "out");
    const { jobId, state } = await market.ichain(["submit", digits, "--wait", "--out", out]);
    assert.equal(state, "Settled");
    const folder = join(market.dir, "by-hand");
    await market.ichain(["get", String(jobId), "--parcel", "-o", folder]);
    assert.equal((await stat(join(folder, "key.txt"))).mode & 0o077, 0);
    const files = await openByHand(folder);
    assert.deepEqual(
      await readFile(join(files, "model.safetensors")),
      await readFile(join(out, "model.safetensors")),
    );
  },
);
