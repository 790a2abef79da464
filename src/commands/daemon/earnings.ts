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
import {
  type FederatedEarning,
  federatedEarningsOf,
  federatedJobsOf,
} from "../../roles/daemon/federated-earnings.ts";
import { coin, instant, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { fromRecords } from "../steps/records.ts";
import { readTokens, type Tokens } from "../steps/tokens.ts";

/**
 * Lists what the account was paid for its work, what it lost, and what gas cost, a job a line; of federated jobs also what
 * it paid as their requester.
 */
export async function run(
  context: CommandContext,
  _args: object,
  { since = 0, csv }: { since?: number; csv?: true },
): Promise<void> {
  const { config, ui, signal } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account }) => {
    const jobs = await jobsWorkedOn(market, account!, { signal });
    const led = await federatedJobsOf(market, account!, { signal });
    const records = await fromRecords(context, (journal) => ({
      all: earningsOf(jobs, account!, journal),
      allRounds: federatedEarningsOf(led, account!, journal),
      otherGas: gasBesideJobs(journal, since),
    }));
    const {
      all = earningsOf(jobs, account!, undefined),
      allRounds = federatedEarningsOf(led, account!, undefined),
      otherGas = 0n,
    } = records ?? {};
    const earnings = all.filter(({ at }) => at >= since);
    const rounds = allRounds.filter(({ at }) => at >= since);
    const paidIn = [...earnings, ...rounds].map(({ job }) => job.terms.token);
    const tokens = await readTokens(context, market, paidIn, { signal });
    const sums = (of: readonly Pick<Earning | FederatedEarning, "job" | "paid">[]) =>
      [...paidByToken(of)].map(([token, amount]) => ({ token: tokens(token), amount }));
    const paid = sums([...earnings, ...rounds.filter(({ role }) => role !== "requester")]);
    const spent = sums(rounds.filter(({ role }) => role === "requester"));
    const sum = (amounts: readonly (bigint | undefined)[]) =>
      amounts.reduce<bigint>((total, one) => total + (one ?? 0n), 0n);
    const totals = {
      ...{ paid, slashed: sum(earnings.map(({ slashed }) => slashed)) },
      gas: sum([...earnings, ...rounds].map(({ gas }) => gas)),
      otherGas,
    };
    const data = {
      ...{ account, jobs: earnings.map((one) => jobFields(one, tokens)) },
      ...(rounds.length > 0 && { federated: rounds.map((one) => roundsFields(one, tokens)) }),
      ...totals,
    };
    ui.print(data, () => {
      if (csv) return csvText(earnings, rounds, tokens);
      const lines = [
        `Paid: ${paid.map(({ token, amount }) => money(amount, token)).join(", ") || coin(0n)}`,
        ...(spent.length > 0
          ? [
              `Paid to providers of federated jobs: ${spent.map(({ token, amount }) => money(-amount, token)).join(", ")}`,
            ]
          : []),
        `Slashed: ${coin(totals.slashed)}`,
        `Gas: ${coin(totals.gas)} of jobs, ${coin(otherGas)} of offers, stake and withdrawals`,
      ];
      const rows = [
        ...earnings.map((one) => row(one, tokens)),
        ...rounds.map((one) => roundsRow(one, tokens)),
      ];
      const head = ["JOB", "ROLE", "ENDED", "AS", "PAID", "SLASHED", "GAS"];
      return [...(rows.length > 0 ? [ui.table(head, rows)] : []), ...lines].join("\n");
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

function roundsFields({ job, role, at, paid, paidRounds, gas }: FederatedEarning, tokens: Tokens) {
  const { id: jobId, cause, terms, closings } = job;
  const rounds = { closed: closings.length, paid: paidRounds };
  return { jobId, role, cause, at, token: tokens(terms.token), rounds, paid, gas };
}

function roundsRow({ job, role, at, paid, paidRounds, gas }: FederatedEarning, tokens: Tokens): string[] {
  const rounds = `${role}, ${paidRounds ?? "?"} of ${job.closings.length} rounds paid`;
  const what = role === "panel" ? "panel of a dispute" : rounds;
  return [
    ...[shortId(job.id), what, instant(at), job.cause ?? job.state],
    ...[money(paid, tokens(job.terms.token)), "-", gas === undefined ? "unknown" : coin(gas)],
  ];
}

/** Amounts in whole tokens, and coins. */
function csvText(earnings: readonly Earning[], rounds: readonly FederatedEarning[], tokens: Tokens): string {
  const head = "job,role,ended,as,token,token_address,paid,slashed,gas";
  const jobs = rounds.map((one) => ({ ...one, role: `federated-${one.role}`, slashed: 0n }));
  const lines = [...earnings, ...jobs].map(({ job, role, at, paid, slashed, gas }) => {
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
