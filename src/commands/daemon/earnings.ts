import { requireKeystore } from "../../account/keystore.ts";
import { amountText, COIN } from "../../protocol/amounts.ts";
import { shortId } from "../../protocol/ids.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import {
  type Earning,
  earningsOf,
  gasBesideJobs,
  jobsWorkedOn,
  paidByToken,
} from "../../roles/daemon/earnings.ts";
import { coin, instant, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { fromRecords } from "../steps/records.ts";
import { readTokens, type Tokens } from "../steps/tokens.ts";

/** Lists what the account was paid for its work, what it lost, and what gas cost, a job a line. */
export async function run(
  context: CommandContext,
  _args: object,
  { since = 0, csv }: { since?: number; csv?: true },
): Promise<void> {
  const { config, ui, signal } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account }) => {
    const jobs = await jobsWorkedOn(market, account!, { signal });
    const records = await fromRecords(context, (journal) => ({
      all: earningsOf(jobs, account!, journal),
      otherGas: gasBesideJobs(journal, since),
    }));
    const { all, otherGas } = records ?? { all: earningsOf(jobs, account!, undefined), otherGas: 0n };
    const earnings = all.filter(({ at }) => at >= since);
    const paidIn = earnings.map(({ job }) => job.terms.token);
    const tokens = await readTokens(context, market, paidIn, { signal });
    const paid = [...paidByToken(earnings)].map(([token, amount]) => ({ token: tokens(token), amount }));
    const sum = (of: (one: Earning) => bigint) => earnings.reduce((total, one) => total + of(one), 0n);
    const totals = { paid, slashed: sum((one) => one.slashed), gas: sum((one) => one.gas ?? 0n), otherGas };
    ui.print({ account, jobs: earnings.map((one) => jobFields(one, tokens)), ...totals }, () => {
      if (csv) return csvText(earnings, tokens);
      const sums = [
        `Paid: ${paid.map(({ token, amount }) => money(amount, token)).join(", ") || coin(0n)}`,
        `Slashed: ${coin(totals.slashed)}`,
        `Gas: ${coin(totals.gas)} of jobs, ${coin(otherGas)} of offers, stake and withdrawals`,
      ];
      const rows = earnings.map((one) => row(one, tokens));
      const head = ["JOB", "ROLE", "ENDED", "AS", "PAID", "SLASHED", "GAS"];
      return [...(rows.length > 0 ? [ui.table(head, rows)] : []), ...sums].join("\n");
    });
  });
}

function jobFields({ job, role, at, paid, slashed, gas }: Earning, tokens: Tokens) {
  const { id: jobId, state, cause, terms } = job;
  return { jobId, role, state, cause, at, token: tokens(terms.token), paid, slashed, gas };
}

function row({ job, role, at, paid, slashed, gas }: Earning, tokens: Tokens): string[] {
  return [
    ...[shortId(job.id), role, instant(at), job.cause ?? job.state],
    ...[money(paid, tokens(job.terms.token)), coin(slashed), gas === undefined ? "unknown" : coin(gas)],
  ];
}

/** Amounts in whole tokens, and coins. */
function csvText(earnings: readonly Earning[], tokens: Tokens): string {
  const head = "job,role,ended,as,token,token_address,paid,slashed,gas";
  const lines = earnings.map(({ job, role, at, paid, slashed, gas }) => {
    const { address, symbol, decimals } = tokens(job.terms.token);
    const coins = (amount: bigint) => amountText(amount, COIN.decimals);
    return [
      ...[job.id, role, new Date(at * 1000).toISOString(), job.cause ?? job.state],
      ...[quoted(symbol), address, amountText(paid, decimals), coins(slashed)],
      gas === undefined ? "" : coins(gas),
    ].join(",");
  });
  return [head, ...lines].join("\n");
}

/** A stranger's text as one field (RFC 4180) that no spreadsheet takes for a formula. */
function quoted(text: string): string {
  const safe = neutraliseLine(text).replace(/^[=+\-@\t]/, "'$&");
  return `"${safe.replaceAll('"', '""')}"`;
}
