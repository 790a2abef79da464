import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { digits, ended, startTestMarket } from "../../support/market/market.ts";
import { requireDocker, requireRoot } from "../../support/require.ts";

it("a requester that goes away after its job was run keeps no other job waiting", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  const flags = ["--provider", "best", "--validator", "best"];
  const submit = market.launch(["submit", digits, ...flags, "--wait", "--out", join(market.dir, "never")]);
  const ending = ended(submit);
  await market.state("Accepted");
  submit.kill("SIGKILL");
  await ending;
  // The provider takes one job at once, and this one waits for its requester.
  const waiting = await market.state("Submitted");
  const out = join(market.dir, "out");
  const { state } = await market.ichain(["submit", digits, ...flags, "--wait", "--out", out]);
  assert.equal(state, "Settled");
  assert.equal((await market.ichain(["job", waiting.id])).state, "Submitted");
});
