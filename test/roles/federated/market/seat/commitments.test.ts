import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type HDNodeWallet, Wallet } from "ethers";
import { openJournal } from "../../../../../src/journal/journal.ts";
import { signRecord } from "../../../../../src/protocol/federated/ledger/record.ts";
import type { Closing } from "../../../../../src/protocol/federated/market/closing.ts";
import type { UpdateMessage } from "../../../../../src/protocol/federated/market/messages.ts";
import {
  approvalSchema,
  commitmentSchema,
  figuresCommitment,
  listDigest,
  type RoundFigures,
  type RoundProposal,
} from "../../../../../src/protocol/federated/market/seat-messages.ts";
import { signedClosing } from "../../../../../src/protocol/federated/market/signatures.ts";
import type { Address } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import type { Arrivals } from "../../../../../src/roles/federated/market/requester/round/arrivals.ts";
import { Answers } from "../../../../../src/roles/federated/market/seat/round/answers.ts";
import { sameFindings, whyNotNear } from "../../../../../src/roles/federated/market/seat/round/figures.ts";
import { whyNotCounted } from "../../../../../src/roles/federated/market/seat/round/lead-round.ts";
import { requireAsserted } from "../../../../../src/roles/federated/market/seat/round/take-list.ts";
import type { RoundState } from "../../../../../src/roles/federated/market/seat/round/work-out.ts";
import { random32 } from "../../../../support/chain/terms.ts";
import { code, scratch } from "../../../../support/parcel/parcels.ts";

const job = random32();
const [lead, seat, third] = [1, 2, 3].map(() => Wallet.createRandom()) as unknown as [
  HDNodeWallet,
  HDNodeWallet,
  HDNodeWallet,
];
const accountOf = ({ address }: { address: string }) => address.toLowerCase() as Address;
const message = (provider: Address) => ({ upload: { provider } }) as unknown as UpdateMessage;
const updates = [message(accountOf(lead)), message(accountOf(third))];
const figures: RoundFigures = {
  before: { acc: 0.5, loss: 1.25 },
  measured: [
    { accuracy: 600_000, gains: { own: 50_000, others: -100 }, audit: "clean" },
    { accuracy: 10, gains: { own: -50_000, others: 0 } },
  ],
};
/** The same but for what floats may differ in. */
const near: RoundFigures = {
  before: { acc: 0.504, loss: 3 },
  measured: [
    { accuracy: 604_000, gains: { own: 52_000, others: 1_500 }, audit: "clean" },
    { accuracy: 0, gains: { own: -49_000, others: -1 } },
  ],
};

test("what two seats measured is near within half a percent of accuracy and a hundredth of a gain", () => {
  const why = (told: RoundFigures, own = figures) => whyNotNear(own, told, updates);
  assert.equal(why(near), undefined);
  assert.equal(whyNotNear({ measured: [] }, { measured: [] }, []), undefined);
  const changed = (change: object) => ({
    ...figures,
    measured: [{ ...figures.measured[0]!, ...change }, figures.measured[1]!],
  });
  assert.match(why({ ...figures, before: { acc: 0.506, loss: 1.25 } })!, /accuracy of the model/);
  assert.match(why({ measured: figures.measured })!, /accuracy of the model/);
  assert.match(why(changed({ accuracy: 606_000 }))!, /something else of the update/);
  assert.match(why(changed({ gains: { own: 60_000, others: -100 } }))!, /something else of the update/);
  assert.match(why(changed({ gains: undefined }))!, /something else of the update/);
  assert.match(why({ ...figures, measured: figures.measured.slice(1) })!, /other updates/);
});

test("a commitment names one list of one job, round and seat, and one set of figures", () => {
  const list = { round: 1, updates };
  const digest = listDigest(job, accountOf(lead), list);
  const others = [
    listDigest(random32(), accountOf(lead), list),
    listDigest(job, accountOf(seat), list),
    listDigest(job, accountOf(lead), { ...list, round: 2 }),
    listDigest(job, accountOf(lead), { ...list, updates: updates.slice(1) }),
  ];
  assert.equal(new Set([digest, ...others]).size, 5);
  const salt = random32();
  const told = figuresCommitment(digest, accountOf(seat), figures, salt);
  // What travelled as JSON is the same.
  assert.equal(
    figuresCommitment(digest, seat.address as Address, JSON.parse(JSON.stringify(figures)), salt),
    told,
  );
  for (const other of [
    figuresCommitment(others[0]!, accountOf(seat), figures, salt),
    figuresCommitment(digest, accountOf(lead), figures, salt),
    figuresCommitment(digest, accountOf(seat), near, salt),
    figuresCommitment(digest, accountOf(seat), figures, random32()),
  ])
    assert.notEqual(other, told);
});

test("a signature counts if it is of the closing and its figures are those that were committed to, near and replayed alike", () => {
  const domain = { chainId: 1, escrow: `0x${"33".repeat(20)}` as const, job };
  const closing = {
    ...{ round: 1, updatesRoot: random32(), modelDigest: random32(), modelRoot: random32() },
    ...{ payRoot: random32(), blindedKey: random32(), ledgerTip: random32() },
  } satisfies Closing;
  const list = listDigest(job, accountOf(lead), { round: 1, updates });
  const proposal = { round: 1, updates, ...figures } as unknown as RoundProposal;
  const salt = random32();
  const why = (shown: RoundFigures, committed = shown, { by = seat, of = closing } = {}) =>
    whyNotCounted(
      { market: { ledgerDomainOf: () => domain } },
      {
        ...{ account: accountOf(seat), job: { id: job }, list, proposal, closing },
        commitment: figuresCommitment(list, accountOf(seat), committed, salt),
      },
      {
        ...{ round: 1, figures: shown, salt, strikes: [] },
        signature: signRecord(by.signingKey, signedClosing(domain, of)),
      },
    );
  assert.equal(why(near), undefined);
  // One that copies what was proposed committed before it knew that.
  assert.match(why(figures, { measured: [] })!, /committed to something else/);
  assert.match(why({ ...near, before: { acc: 0.7, loss: 1 } })!, /accuracy of the model/);
  assert.match(
    why({ ...near, measured: near.measured.map(({ audit: _, ...one }) => one) })!,
    /its replays found something else/,
  );
  const [first, second] = near.measured;
  const without: RoundFigures = { ...near, measured: [{ ...first!, audit: "withheld" }, second!] };
  assert.equal(why(without), undefined, "a residual may not have reached it");
  assert.match(why(near, near, { by: third })!, /signed something else/);
  assert.match(why(near, near, { of: { ...closing, payRoot: random32() } })!, /signed something else/);
});

test("what a replay found is the proposer's, but for a residual that did not reach one of them", () => {
  const arrived = updates.map(({ upload }, place) => ({ account: upload.provider, place, path: "" }));
  const [account] = arrived.map((one) => one.account) as [Address];
  type Found = RoundFigures["measured"][number]["audit"];
  const agreed = (own: Found, told: Found) => {
    const found = new Map(own === undefined ? [] : [[account, own] as const]);
    const measured = [{ accuracy: 0, ...(told && { audit: told }) }, { accuracy: 0 }];
    return sameFindings(found, arrived, { measured } as unknown as RoundProposal).get(account);
  };
  for (const same of ["clean", "proven", "withheld", undefined] as const)
    assert.equal(agreed(same, same), same);
  assert.equal(agreed("clean", "withheld"), "withheld");
  assert.equal(agreed("proven", "withheld"), "withheld");
  const pairs = [
    ["withheld", "clean"],
    ["withheld", "proven"],
    ["clean", "proven"],
    ["proven", "clean"],
    [undefined, "withheld"],
    ["withheld", undefined],
  ] as const;
  for (const [own, told] of pairs) assert.throws(() => agreed(own, told), { code: "FEDERATED_DISAGREED" });
});

async function answersOf(t: TestContext) {
  const dir = await scratch(t);
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => journal.close());
  const open = () => new Answers(journal.open("federated-validator", job));
  return { answers: open(), again: open };
}

test("the first answer of a seat counts, also after a crash, and one to another list does not", async (t) => {
  const { answers, again } = await answersOf(t);
  const account = seat.address as Address;
  const [list, commitment] = [random32(), random32()];
  const committed = { round: 1, list, commitment };
  await answers.take(account, { committed });
  await answers.take(account, { committed: { ...committed, commitment: random32() } });
  await answers.take(third.address as Address, { committed: { ...committed, list: random32() } });
  for (const one of [answers, again()]) {
    assert.equal(one.commitment(1, accountOf(seat), list), commitment);
    assert.equal(one.commitment(1, accountOf(seat), random32()), undefined);
    assert.equal(one.commitment(1, accountOf(third), list), undefined);
    assert.equal(one.commitment(2, accountOf(seat), list), undefined);
    assert.equal(one.approval(1, accountOf(seat)), undefined);
  }
});

test("answers are waited for until all are there, or enough are and the others' time is over", async (t) => {
  const { answers } = await answersOf(t);
  const { signal } = new AbortController();
  const list = random32();
  const has = (one: HDNodeWallet) => answers.commitment(1, accountOf(one), list) !== undefined;
  const commit = (one: HDNodeWallet) =>
    answers.take(accountOf(one), { committed: { round: 1, list, commitment: random32() } });
  const tell = async (all: () => boolean, enough: () => boolean) => {
    let over = false;
    void answers.until({ all, enough, graceMs: 3_600_000 }, { signal }).then(() => {
      over = true;
    });
    await setImmediate();
    return () => over;
  };
  const both = await tell(
    () => has(seat) && has(third),
    () => has(seat),
  );
  const never = await tell(
    () => true,
    () => false,
  );
  await commit(seat);
  await setImmediate();
  assert.equal(both(), false);
  await commit(third);
  await setImmediate();
  assert.deepEqual([both(), never()], [true, false]);
  await answers.until({ all: () => false, enough: () => has(seat), graceMs: 1 }, { signal });
  const stopped = new AbortController();
  const waiting = answers.until({ all: () => false, enough: () => false, graceMs: 1 }, stopped);
  stopped.abort(new RangeError("over"));
  await assert.rejects(waiting, RangeError);
});

test("a list is refused that leaves out an update that is here and that its provider said on the chain", async () => {
  const account = accountOf(third);
  const asserted = {
    members: [
      { account, asserted: 2 },
      { account: accountOf(seat), asserted: 1 },
    ],
  };
  const context = { market: { federatedJob: async () => asserted } } as unknown as WorkerContext;
  const look = (counted: readonly Address[], present: readonly Address[]) =>
    requireAsserted(
      context,
      // What the job was when the round began says nothing.
      { job: { id: job, members: [] }, round: 2 } as unknown as RoundState,
      {
        list: { round: 2, updates: counted.map(message) },
        arrivals: { present: () => present } as unknown as Arrivals,
      },
      { signal: new AbortController().signal },
    );
  await look([account], [account]);
  await look([], [accountOf(seat), accountOf(lead)]);
  await look([], []);
  await assert.rejects(look([accountOf(seat)], [account]), code("FEDERATED_DISAGREED"));
});

test("what seats send each other is read with bounds", () => {
  const committed = { round: 1, list: random32(), commitment: random32() };
  const signature = `0x${"11".repeat(65)}`;
  const approved = { round: 1, signature, strikes: [], figures, salt: random32() };
  assert.ok(commitmentSchema.safeParse({ committed }).success);
  assert.ok(approvalSchema.safeParse({ approved }).success);
  for (const change of [{ round: 0 }, { round: 10_001 }, { list: "0x1" }, { commitment: 1 }, { more: 1 }])
    assert.equal(commitmentSchema.safeParse({ committed: { ...committed, ...change } }).success, false);
  const measured = figures.measured[0]!;
  for (const change of [
    { salt: undefined },
    { figures: { measured: Array(65).fill(measured) } },
    { figures: { measured: [{ ...measured, accuracy: 2e6 }] } },
    { figures: { measured: [{ ...measured, accuracy: 0.5 }] } },
    { figures: { measured: [{ ...measured, gains: { own: 1e10, others: 0 } }] } },
    { figures: { measured: [{ ...measured, audit: "maybe" }] } },
    { strikes: Array(65).fill([accountOf(seat), signature]) },
  ])
    assert.equal(approvalSchema.safeParse({ approved: { ...approved, ...change } }).success, false);
});
