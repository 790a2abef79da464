import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

it("the same job settles on another EVM client", needs("root", "docker"), async (t) => {
  const market = await startTestMarket(t, { transport: "direct", client: "anvil" });
  assert.equal(market.evm.client, "anvil");
  const out = join(market.dir, "out");
  const before = await market.chain.getBlockNumber();
  const result = await market.ichain(["submit", digits, "--wait", "--out", out]);
  assert.equal(result.state, "Settled");
  assert.equal(result.verdict, "pass");
  assert.ok((await readFile(join(out, "model.safetensors"))).length > 1000);
  const moved = (await market.transactions(before + 1)).filter(({ receipt }) =>
    receipt.logs.some(({ topics }) => topics[1] === result.jobId),
  );
  assert.equal(moved.length, 7);
  await market.ichain(["rate", String(result.jobId), "5"]);
});
