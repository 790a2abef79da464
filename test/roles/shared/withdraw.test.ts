import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "../../../src/journal/journal.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { withdrawOwed } from "../../../src/roles/shared/withdraw.ts";
import { startChain } from "../../support/chain/chain.ts";
import { random32, someTerms } from "../../support/chain/terms.ts";
import { scratch } from "../../support/parcel/parcels.ts";

test("a withdrawal does not fail when another job has withdrawn everything meanwhile", async (t) => {
  const chain = await startChain();
  t.after(() => chain.stop());
  const market = chain.market(1);
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const terms = someTerms(market.account, market.account);
  const context = { account: market.account, market: { ...market, owed: async () => 1n } };
  const signal = AbortSignal.timeout(60_000);
  await withdrawOwed(context, journal.open("validator", random32()), { terms } as Job, { signal });
});
