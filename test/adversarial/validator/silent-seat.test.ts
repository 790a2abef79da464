import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { sameAddress } from "../../../src/protocol/ids.ts";
import { listen } from "../../support/market/by-hand.ts";
import { ended, startTestMarket } from "../../support/market/market.ts";
import { seatLedExample } from "../../support/market/seat-led-example.ts";
import { needs } from "../../support/require.ts";

test(
  "with the requester gone and the validator whose turn it is killed, rounds are closed, and a lazy provider is slashed",
  needs("docker", "root"),
  async (t) => {
    const bad = ["thin"] as const;
    const market = await startTestMarket(t, { providers: 4, validators: 3, transport: "direct", bad });
    const { rpcUrl, chainId, contracts } = market.network;
    const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
    t.after(() => reader.stop());
    const providers = market.providers.map(({ name }) => listen(market, name));
    const job = await seatLedExample(t, { validators: 3, rounds: 2, audit: 4 });
    const child = market.launch(["submit", job, "--yes"]);
    const over = ended(child);
    const id = await posted();

    const first = await once(({ closings }) => closings.length === 1);
    child.kill("SIGKILL");
    await over;
    const seats = first.members.filter(({ seat }) => seat).map(({ account }) => account);
    assert.equal(seats.length, 3);
    const second = seats.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))[1]!;
    await market.killActor(market.validators.find(({ account }) => sameAddress(account, second))!.name);
    await Promise.all(providers.map(({ said }) => said(/round 2: the update is sent/)));
    await market.evm.increaseTime(Math.floor(first.terms.roundWindow * 0.6));

    const last = await once(({ state }) => state === "Ended");
    assert.equal(last.cause, "completed");
    assert.ok(!last.closings[1]!.signers.some((one) => sameAddress(one, second)));
    const thin = market.providers[0]!;
    const struck = last.members.find(({ account }) => sameAddress(account, thin.account))!;
    assert.equal(struck.standing, "struck");
    assert.ok(struck.strike!.signers.length >= 2);

    const out = join(dirname(job), "model");
    await market.ichain(["resume", id]);
    await market.ichain(["get", id, "-o", out]);
    const verified = await market.ichain(["verify", join(out, "job.ledger")]);
    assert.equal(verified.rounds, 2);
    const before = await market.stake(thin.account);
    await market.evm.increaseTime(last.deadline + 1 - (await reader.now()));
    await once(({ members }) => members.every(({ standing }) => standing === "released"));
    assert.ok((await market.stake(thin.account)) < before, "its deposit is gone");

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
