import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { Call } from "../../../../src/ports/market.ts";
import type { Job } from "../../../../src/protocol/job/job.ts";
import { policySchema } from "../../../../src/protocol/policy/policy.ts";
import type { WorkerContext } from "../../../../src/roles/context.ts";
import { openSlots } from "../../../../src/roles/daemon/slots.ts";
import { commit } from "../../../../src/roles/job/validator/commit.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { scratch } from "../../../support/parcel/parcels.ts";

test("a validator that is drained abstains from what it has not begun, at no cost", async (t) => {
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const calls: Call["kind"][] = [];
  const market = {
    prepare: async ({ kind }: Call) => ({ kind }),
    broadcast: async ({ kind }: Call) => void calls.push(kind),
  };
  const job = { id: random32() } as Job;
  const setup = {
    ...{ policy: policySchema.parse({}), slots: openSlots(1), report: { tier: "runc" } as never },
    draining: true,
  };
  const why = await commit(
    { market } as unknown as WorkerContext,
    journal.open("validator", job.id),
    job,
    setup,
    { signal: new AbortController().signal },
  );
  assert.equal(why, "it measures no more before it stops");
  assert.deepEqual(calls, ["abstain"]);
});
