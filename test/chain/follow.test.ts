import assert from "node:assert/strict";
import { test } from "node:test";
import { followJob } from "../../src/chain/follow.ts";
import type { JobIndex } from "../../src/chain/indexer/jobs.ts";
import type { Block } from "../../src/chain/rpc/blocks.ts";
import type { Clock } from "../../src/chain/rpc/clock.ts";
import type { Heads } from "../../src/chain/rpc/heads.ts";
import { instantsOf } from "../../src/protocol/job/exits.ts";
import { fold } from "../../src/protocol/job/fold.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { isFinal } from "../../src/protocol/job/state.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { random32, someTerms } from "../support/chain/terms.ts";

const terms = someTerms(`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`, { acceptBy: 1000 });
const posted = fold(undefined, {
  ...{ kind: "posted", id: random32(), terms, seedTip: requesterTip, sealed: "0x", block: 1 },
})!;
const head: Block = {
  ...{ number: 7, hash: random32(), parentHash: random32(), time: 500 },
} as Block;

test("a change that another reader of the index adds while the clock is asked is still told", async () => {
  let job: Job = { ...posted, state: "Submitted" };
  let touched = 1;
  const jobs = { touched: () => touched, find: () => job } as unknown as JobIndex;
  const heads = {
    recent: async () => head,
    // No block comes any more: what is in the index now is all that there is.
    changed: async () => head,
  } as unknown as Heads;
  let asked = 0;
  const clock = {
    now: async () => {
      asked += 1;
      if (asked === 1) [job, touched] = [{ ...posted, state: "Claimed" }, 2];
      if (asked === 4) throw new Error("the change was never told");
      return 600;
    },
  } as unknown as Clock;
  const states: string[] = [];
  for await (const seen of followJob(
    { heads, clock, index: jobs, instantsOf, isFinal: ({ state }) => isFinal(state), sync: async () => {} },
    posted.id,
    {},
  )) {
    states.push(seen.state);
    if (seen.state === "Claimed") break;
  }
  assert.deepEqual(states, ["Submitted", "Claimed"]);
});
