import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { sameAddress } from "../../../src/protocol/ids.ts";
import { listen } from "../../support/market/by-hand.ts";
import { ended, startTestMarket } from "../../support/market/market.ts";
import { seatLedExample } from "../../support/market/seat-led-example.ts";
import { needs } from "../../support/require.ts";

test(
  "validators that leave a provider's update out are challenged, a panel finds so, and they lose their stake",
  needs("docker", "root"),
  async (t) => {
    const badValidators = Array.from({ length: 4 }, () => "omit" as const);
    const market = await startTestMarket(t, {
      providers: 2,
      validators: 4,
      transport: "direct",
      badValidators,
    });
    const { rpcUrl, chainId, contracts } = market.network;
    const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
    t.after(() => reader.stop());
    const job = await seatLedExample(t, { providers: 2, validators: 2, rounds: 3, audit: 0 });
    const submitted = ended(market.launch(["submit", job, "--yes"]));
    const id = await posted();

    const challenged = await once(({ state }) => state === "Disputed");
    const wronged = challenged.members[0]!;
    const [dispute] = challenged.disputes;
    assert.ok(sameAddress(dispute!.challenger, wronged.account), "who was left out challenges");
    assert.deepEqual(
      wronged.assertions.map(({ round }) => round),
      [2],
      "it had said so on the chain, once left out",
    );
    const over = await once(({ state }) => state === "Ended");
    await submitted;
    assert.deepEqual([over.cause, over.closings.length], ["overturned", 1]);
    assert.ok(over.members.filter(({ seat }) => seat).every(({ standing }) => standing === "slashed"));

    const actor = market.providers.find(({ account }) => sameAddress(account, wronged.account))!;
    const { said } = listen(market, actor.name);
    await market.evm.increaseTime(over.deadline + 1 - (await reader.now()));
    await said(/federated job over, paid/);

    async function posted(): Promise<FederatedJob["id"]> {
      for await (const one of reader.watchFederated({})) return one.id;
      return assert.fail("no job is posted");
    }

    async function once(wanted: (one: FederatedJob) => boolean): Promise<FederatedJob> {
      for await (const one of reader.followFederated(id)) if (wanted(one)) return one;
      return assert.fail("the job is never so");
    }
  },
);
