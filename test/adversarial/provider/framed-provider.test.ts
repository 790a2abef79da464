import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { sameAddress } from "../../../src/protocol/ids.ts";
import { ended, startTestMarket } from "../../support/market/market.ts";
import { seatLedExample } from "../../support/market/seat-led-example.ts";
import { needs } from "../../support/require.ts";

test(
  "an honest provider that two validators strike appeals, a panel clears it, and they lose their stake",
  needs("docker", "root"),
  async (t) => {
    const frames = Array.from({ length: 4 }, () => "frame" as const);
    const market = await startTestMarket(t, {
      ...{ providers: 2, validators: 4, transport: "direct", badValidators: frames },
    });
    const { rpcUrl, chainId, contracts } = market.network;
    const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
    t.after(() => reader.stop());
    const job = await seatLedExample(t, { providers: 2, validators: 2, rounds: 1, audit: 1 });
    const over = ended(market.launch(["submit", job, "--yes"]));
    const id = await posted();

    const appealed = await once(({ disputes }) => disputes.length === 1);
    const { about, challenger } = appealed.disputes[0]!;
    assert.ok(about !== undefined && sameAddress(about, challenger));
    const concluded = await once(({ judged }) => judged.length === 1);
    assert.deepEqual([concluded.judged[0]!.decided, concluded.judged[0]!.stands], [true, false]);
    assert.equal(concluded.members.find(({ account }) => sameAddress(account, about))!.standing, "enlisted");
    const seats = concluded.members.filter(({ seat }) => seat);
    assert.deepEqual(
      seats.map(({ standing }) => standing),
      ["slashed", "slashed"],
    );
    await over;

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
