import assert from "node:assert/strict";
import { it } from "node:test";
import { digits, lastJson, startTestMarket } from "../../support/market/market.ts";
import { requireDocker, requireRoot } from "../../support/require.ts";

it("a local user who starts a second daemon in a provider's home takes no job from the first", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  const home = market.providers[0]!;
  for (const verb of ["provide", "validate"]) {
    const { code, stdout } = await market.attempt([verb], home);
    const { error } = lastJson(stdout) as { error: { code: string; retryable: boolean } };
    assert.deepEqual([code, error.code, error.retryable], [4, "HOME_BUSY", true], verb);
  }
  // Commands that are no daemons go on working beside one, in its home too.
  assert.deepEqual((await market.ichain(["resume"], home)).jobs, []);
  const submitted = await market.ichain([
    "submit",
    digits,
    "--provider",
    "best",
    "--validator",
    "best",
    "--wait",
  ]);
  assert.equal(submitted.state, "Settled");

  // The lock ends with its process, however that ends.
  await market.killActor("provider-1");
  await market.startActor("provider-1");
});
