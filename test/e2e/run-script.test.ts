import assert from "node:assert/strict";
import { cp, stat } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const script = fileURLToPath(new URL("../support/scripts/centroids.py", import.meta.url));

it(
  "a script that knows nothing of ichain becomes a confirmed result, by one command",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const own = join(market.dir, "train.py");
    const out = join(market.dir, "out");
    await cp(script, own);
    const args = ["run", own, "--threshold", "0.85", "-o", out, "--env", "SEED=7"];
    const { state, verdict, files } = await market.ichain(args);
    assert.deepEqual([state, verdict, files], ["Settled", "pass", ["centroids.npy"]]);
    assert.ok((await stat(join(out, "centroids.npy"))).size > 5000);
  },
);
