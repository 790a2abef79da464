import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { federatedBondOf, federatedPriceOf } from "../../../src/protocol/federated/market/terms.ts";
import { startTestMarket } from "../../support/market/market.ts";
import { seatLedExample } from "../../support/market/seat-led-example.ts";
import { needs } from "../../support/require.ts";

test(
  "a closing that lying validators agree on is challenged, a panel finds it false, and they lose their stake",
  needs("docker", "root"),
  async (t) => {
    const badValidators = Array.from({ length: 4 }, () => "lie" as const);
    const market = await startTestMarket(t, {
      providers: 2,
      validators: 4,
      transport: "direct",
      badValidators,
    });
    const { rpcUrl, chainId, contracts } = market.network;
    const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
    t.after(() => reader.stop());
    const job = await seatLedExample(t, { providers: 2, validators: 2, rounds: 1, audit: 0 });
    const { jobId } = await market.ichain(["submit", job, "--yes"]);
    const id = jobId as FederatedJob["id"];
    await market.ichain(["challenge", id, "--round", "1"]);

    for await (const over of reader.followFederated(id)) {
      if (over.judged.length === 0) continue;
      assert.deepEqual([over.judged[0]!.decided, over.judged[0]!.stands], [true, false]);
      assert.deepEqual([over.state, over.cause, over.closings.length], ["Ended", "overturned", 0]);
      const seats = over.members.filter(({ seat }) => seat);
      assert.ok(seats.every(({ standing }) => standing === "slashed"));
      // Of its bond and the price only what the two of the panel got is gone.
      const { requester, token, seatFee } = over.terms;
      const back = federatedPriceOf(over.terms) + federatedBondOf(over.terms) - 2n * seatFee;
      assert.equal(await reader.owedFederated(requester, token), back);
      break;
    }
    const why = await market.attempt(["why", id]);
    assert.match(why.stdout, /overturned/);
  },
);
