import assert from "node:assert/strict";
import { it } from "node:test";
import { misbehaviours } from "../../src/devnet/misbehave.ts";
import { needs } from "../support/require.ts";
import { soak } from "../support/soak/soak.ts";

/** `node scripts/soak-market.ts` is the long one: batches of these, and how each daemon grows. */
it(
  "a market with every kind of cheat, silence, crash and a lying node pays everybody to the wei",
  needs("root", "docker", "long"),
  async (t) => {
    const jobs = misbehaviours.length + 2;
    const { failures, kinds, endings, lies } = await soak({
      jobs,
      seed: 1,
      say: (text) => t.diagnostic(text),
    });
    assert.deepEqual(failures, [], JSON.stringify({ kinds, endings }));
    const played = Object.values(endings).reduce((sum, one) => sum + one, 0);
    assert.equal(played, jobs);
    for (const bad of misbehaviours)
      assert.ok(
        Object.keys(kinds).some((kind) => kind.startsWith(bad)),
        bad,
      );
    assert.ok(Object.keys(lies).length > 0);
  },
);
