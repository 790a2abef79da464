import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { listen } from "../../support/market/by-hand.ts";
import { ended, startTestMarket } from "../../support/market/market.ts";
import { seatLedExample } from "../../support/market/seat-led-example.ts";
import { needs } from "../../support/require.ts";

test(
  "what a lying validator says of a round is not signed, and the next one closes it",
  needs("docker", "root"),
  async (t) => {
    const market = await startTestMarket(t, {
      ...{ providers: 4, validators: 3, transport: "direct", badValidators: [undefined, "lie"] },
    });
    const { rpcUrl, chainId, contracts } = market.network;
    const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
    t.after(() => reader.stop());
    const providers = market.providers.map(({ name }) => listen(market, name));
    const over = ended(
      market.launch(["submit", await seatLedExample(t, { validators: 3, rounds: 1, audit: 0 }), "--yes"]),
    );
    const id = await posted();
    const liar = market.validators[1]!;
    const { members, terms } = await once(({ state }) => state === "Running");
    const order = members
      .filter(({ seat }) => seat)
      .map(({ account }) => account.toLowerCase())
      .toSorted();
    assert.equal(order[0], liar.account.toLowerCase(), "the first round is the liar's");
    await Promise.all(providers.map(({ said }) => said(/round 1: the update is sent/)));
    await market.evm.increaseTime(Math.floor(terms.roundWindow * 0.6));
    const { closings } = await once((job) => job.closings.length > 0);
    assert.deepEqual(
      closings[0]!.signers.map((one) => one.toLowerCase()),
      order.slice(1),
    );
    assert.equal((await once(({ state }) => state === "Ended")).cause, "completed");
    await over;
    const log = await readFile(join(market.dir, "validator-3.log"), "utf8");
    assert.match(log, /measured something else of the update/);

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
