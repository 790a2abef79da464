import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { Call } from "../../../../src/ports/market.ts";
import type { Job } from "../../../../src/protocol/job/job.ts";
import { policySchema } from "../../../../src/protocol/policy/policy.ts";
import type { WorkerContext } from "../../../../src/roles/context.ts";
import { openSlots } from "../../../../src/roles/daemon/slots.ts";
import { commit, type ValidatorSetup } from "../../../../src/roles/job/validator/commit.ts";
import { openDiskBudget } from "../../../../src/roles/task/kept/disk-budget.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { scratch } from "../../../support/parcel/parcels.ts";

/** Why the validator abstained, and the calls it made, as `now` has it. */
async function abstaining(t: TestContext, now: Partial<ValidatorSetup>) {
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
    ...now,
  };
  const why = await commit(
    { market } as unknown as WorkerContext,
    journal.open("validator", job.id),
    job,
    setup,
    { signal: new AbortController().signal },
  );
  return { why, calls };
}

test("a validator that is drained abstains from what it has not begun, at no cost", async (t) => {
  const { why, calls } = await abstaining(t, { draining: true });
  assert.equal(why, "it measures no more before it stops");
  assert.deepEqual(calls, ["abstain"]);
});

test("a validator whose home is full abstains from what it has not begun", async (t) => {
  const home = await scratch(t);
  const disk = openDiskBudget({ home, jobsDir: home, limit: 0 });
  const { why, calls } = await abstaining(t, { disk });
  assert.equal(why, "its home holds as much of the disk as its owner allows");
  assert.deepEqual(calls, ["abstain"]);
});
