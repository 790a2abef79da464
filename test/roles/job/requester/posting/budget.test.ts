import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { Abortable } from "../../../../../src/async/abort.ts";
import { isIchainError } from "../../../../../src/errors/error.ts";
import { openJournal } from "../../../../../src/journal/journal.ts";
import { COIN } from "../../../../../src/protocol/amounts.ts";
import { budgetSchema } from "../../../../../src/protocol/budget.ts";
import type { Address, JobId } from "../../../../../src/protocol/ids.ts";
import { refuseOverBudget } from "../../../../../src/roles/job/requester/posting/budget.ts";
import { ENDED_STEP } from "../../../../../src/roles/job/requester/take-notice.ts";
import { lockBudgets } from "../../../../../src/sqlite/lock.ts";
import { someTerms } from "../../../../support/chain/terms.ts";
import { newJob, startParties } from "../../../../support/market/parties.ts";

const ETHER = 10n ** 18n;
const account = `0x${"11".repeat(20)}` as Address;
const id = (number: number) => `0x${String(number).padStart(64, "0")}` as JobId;
const money = (price: bigint, token = COIN.address) => ({ price, token, validatorFee: 0n, validators: 0 });

let dir: string;
let path: string;
let count = 0;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "ichain-budget-"));
});
after(() => rm(dir, { recursive: true }));
beforeEach(() => {
  path = join(dir, `${count++}.db`);
});

/** Records a job that locked `price` ether and came to the steps named. */
async function record(key: JobId, price: bigint, steps: readonly string[] = ["post"], after?: JobId) {
  const journal = openJournal(path);
  const job = journal.open("requester", key);
  const draft = { terms: { ...someTerms(account, account), ...money(price * ETHER) }, again: { after } };
  for (const name of ["draft", ...steps]) await job.step(name, { prepare: () => draft, act: () => draft });
  if (!steps.includes("post") || steps.includes("cancel")) job.finish("failed");
  journal.close();
}

/** The code with which a job of `price` ether is refused by a process that has just started. */
function code(limits: object, price: bigint, token = COIN, replaces?: JobId): string | undefined {
  const journal = openJournal(path);
  const budgets = [{ token: COIN.address, budget: budgetSchema.parse(limits) }];
  try {
    const locked = price * ETHER;
    refuseOverBudget({ journal, budgets }, { locked, token }, replaces);
    return undefined;
  } catch (error) {
    return isIchainError(error) ? error.code : String(error);
  } finally {
    journal.close();
  }
}

test("federated jobs count with the price of all rounds, unless they ended without one", async () => {
  for (const [number, ending] of [
    [1, undefined],
    [2, "done"],
    [3, "failed"],
  ] as const) {
    const journal = openJournal(path);
    const job = journal.open("federated-requester", id(number));
    const terms = { token: COIN.address, rounds: 5, seats: 0, roundPrice: ETHER, seatFee: 0n };
    await job.step("draft", { prepare: () => ({ terms }), act: (draft) => draft });
    if (ending) job.finish(ending);
    journal.close();
  }
  assert.equal(code({ total: "12" }, 2n), undefined);
  assert.equal(code({ total: "12" }, 3n), "BUDGET_EXCEEDED");
});

test("a job may lock as much as the budget of one job, and no more", () => {
  assert.equal(code({ perJob: "2" }, 2n), undefined);
  assert.equal(code({ perJob: "1.999" }, 2n), "BUDGET_EXCEEDED");
});

test("a budget counts the jobs before a restart", async () => {
  await record(id(1), 2n);
  await record(id(2), 1n);
  for (const name of ["perDay", "total"]) {
    assert.equal(code({ [name]: "4" }, 1n), undefined);
    assert.equal(code({ [name]: "4" }, 2n), "BUDGET_EXCEEDED");
  }
});

test("a day's budget forgets the jobs of the day before, and that of all jobs does not", async (context) => {
  await record(id(1), 3n);
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 86_400_001 });
  assert.equal(code({ perDay: "3" }, 3n), undefined);
  assert.equal(code({ total: "3" }, 1n), "BUDGET_EXCEEDED");
});

test("a job that was never posted, taken back or posted again elsewhere does not count", async () => {
  await record(id(1), 5n, []);
  await record(id(2), 5n, ["post", "cancel"]);
  await record(id(3), 5n);
  await record(id(5), 5n, ["post"]);
  const journal = openJournal(path);
  await journal
    .open("requester", id(5))
    .step(ENDED_STEP, { prepare: () => "Cancelled", act: (state) => state });
  journal.close();
  await record(id(4), 1n, ["post"], id(3));
  assert.equal(code({ total: "2" }, 1n), undefined);
  assert.equal(code({ total: "2" }, 2n), "BUDGET_EXCEEDED");
  assert.equal(code({ total: "2" }, 2n, COIN, id(4)), undefined);
});

test("a token without a budget is refused where others have one", () => {
  const token = { address: `0x${"22".repeat(20)}` as Address, symbol: "TUSD", decimals: 6 };
  assert.equal(code({}, 1n, token), "BUDGET_EXCEEDED");
});

test("of two jobs that are drafted in the same instant one alone takes what is left of a budget", async (t) => {
  const { requester, provider } = await startParties(t);
  const budgets = [{ token: COIN.address, budget: budgetSchema.parse({ total: "1.5" }) }];
  const context = {
    ...requester,
    budgets,
    lockBudgets: (one: Abortable) => lockBudgets(requester.home, one),
  };
  const drafting = [1, 2].map((bytes) => newJob(context, provider, { posted: false, bytes }));
  const codes = (await Promise.allSettled(drafting)).map((one) =>
    one.status === "fulfilled" ? "drafted" : (one.reason as { code?: string }).code,
  );
  assert.deepEqual(codes.toSorted(), ["BUDGET_EXCEEDED", "drafted"]);
});
