import assert from "node:assert/strict";
import { test } from "node:test";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { Notification } from "../../../../src/ports/notifier.ts";
import type { FederatedEvent } from "../../../../src/protocol/federated/market/events.ts";
import { foldFederated } from "../../../../src/protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../../src/protocol/federated/market/job.ts";
import type { FederatedTerms } from "../../../../src/protocol/federated/market/terms.ts";
import { type Address, ZERO_ADDRESS } from "../../../../src/protocol/ids.ts";
import { federatedEarningsOf } from "../../../../src/roles/daemon/federated-earnings.ts";
import { tellDisputes } from "../../../../src/roles/federated/market/dispute/tell.ts";
import { random32 } from "../../../support/chain/terms.ts";

const account = (digit: string) => `0x${digit.repeat(40)}` as Address;
const requester = account("a");
const providers = ["1", "2", "3"].map(account);
const seats = ["b", "c"].map(account);
const panel = ["d", "e", "f"].map(account);
const cheat = providers[0]!;
const guilty = random32();

/** In order; `about` is the provider that was struck. */
const course = {
  struck: {
    ...{ kind: "struck", signers: seats, appealBy: 1300 },
    strike: { provider: cheat, round: 1, upload: random32() },
  },
  ended: { kind: "ended", cause: "cheated", closed: 0, deadline: 1300 },
  disputed: { kind: "disputed", about: cheat, challenger: cheat, round: 1, drawBlock: 9 },
  empanelled: { kind: "empanelled", about: cheat, panel, deadline: 2000 },
  first: { kind: "findingRevealed", about: cheat, validator: panel[0]!, finding: guilty },
  second: { kind: "findingRevealed", about: cheat, validator: panel[1]!, finding: random32() },
  third: { kind: "findingRevealed", about: cheat, validator: panel[2]!, finding: guilty },
  concluded: { kind: "disputeConcluded", about: cheat, decided: true, stands: true },
} satisfies Record<string, FederatedEvent>;

function begun(refunds: boolean): FederatedJob {
  const terms: FederatedTerms = {
    ...{ requester, token: ZERO_ADDRESS, roundPrice: 900n, seatFee: 10n, providerStake: 51n, seatStake: 50n },
    ...{ rounds: 3, least: 2, places: 3, seats: 2, enlistBy: 100, roundWindow: 600, disputeWindow: 300 },
    ...{ specHash: random32(), bundleRoot: random32(), seedHash: random32(), refunds },
  };
  const events: FederatedEvent[] = [
    { kind: "posted", id: random32(), terms, sealed: "0x", block: 1 },
    ...providers.map((provider) => ({ kind: "enlisted", provider }) as const),
    ...seats.map((seat) => ({ kind: "seated", seat }) as const),
    { kind: "firstOpened", deadline: 700 },
  ];
  return events.reduce<FederatedJob | undefined>(foldFederated, undefined)!;
}

const after = (job: FederatedJob, events: readonly FederatedEvent[]) =>
  events.reduce<FederatedJob>((one, event) => foldFederated(one, event)!, job);

test("an owner is told once that a provider is struck, appeals, a panel is drawn, and has judged", async (t) => {
  const journal = openJournal(":memory:");
  t.after(() => journal.close());
  let job = begun(true);
  const record = journal.open("federated-requester", job.id);
  const told: Notification[] = [];
  const reported: string[] = [];
  const context = {
    notifier: { tell: (one: Notification) => told.push(one) },
    reporter: { emit: (event: { text?: string }) => reported.push(event.text ?? "") },
  };
  for (const event of Object.values(course)) {
    job = after(job, [event]);
    for (let i = 0; i < 2; i++) await tellDisputes(context, record, job);
  }
  assert.deepEqual(
    told.map(({ event, text }) => [event, /struck|appeals|drawn for|judged/.exec(text)?.[0]]),
    ["struck", "appeals", "drawn for", "judged"].map((word) => ["disputed", word]),
  );
  assert.ok(told.every(({ job: of }) => of === job.id));
  assert.deepEqual(
    reported,
    told.map(({ text }) => text),
  );
});

test("earnings have the fees of panels and of a strike, and a part of a cheat's deposit", () => {
  const released = (one: Address, slashed = false) =>
    ({ kind: "stakeReleased", account: one, slashed }) as const;
  const events = [...Object.values(course), released(cheat, true), released(providers[1]!)];
  const earned = (job: FederatedJob, one: Address) => {
    const [earning] = federatedEarningsOf([job], one, undefined);
    return [earning?.role, earning?.paid];
  };
  const refunded = after(begun(true), events);
  assert.deepEqual(earned(refunded, panel[0]!), ["panel", 10n]);
  assert.deepEqual(earned(refunded, panel[1]!), ["panel", 0n], "it found otherwise");
  assert.deepEqual(earned(refunded, seats[0]!), ["validator", 10n]);
  assert.deepEqual(earned(refunded, providers[1]!), ["provider", 25n]);
  assert.deepEqual(earned(refunded, providers[2]!), ["provider", 0n], "its stake is not free yet");
  assert.deepEqual(earned(refunded, cheat), ["provider", 0n]);
  assert.deepEqual(earned(refunded, requester), ["requester", -20n]);
  const kept = after(begun(false), events);
  assert.deepEqual(earned(kept, seats[0]!), ["validator", 0n], "a strike that does not end the job");
  assert.deepEqual(earned(kept, providers[1]!), ["provider", 0n]);
});
