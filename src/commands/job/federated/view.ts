import { isIchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import type { TokenInfo } from "../../../protocol/amounts.ts";
import { disputeText, judgedText } from "../../../protocol/federated/market/dispute/news.ts";
import { memberOf } from "../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { federatedPriceOf } from "../../../protocol/federated/market/terms.ts";
import { type Address, type JobId, sameAddress, shortId } from "../../../protocol/ids.ts";
import { coin, money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { readTokens } from "../../steps/tokens.ts";

/**
 * The federated job that starts with `prefix`; undefined where an ordinary one does.
 * @throws JOB_UNKNOWN, JOB_AMBIGUOUS
 */
export async function federatedIdOf(
  market: MarketReader,
  prefix: string,
  signal: AbortSignal,
): Promise<JobId | undefined> {
  try {
    await market.resolveJob(prefix, { signal });
    return undefined;
  } catch (error) {
    if (!isIchainError(error, "JOB_UNKNOWN")) throw error;
  }
  return market.resolveFederatedJob(prefix, { signal });
}

/** What this account is in a federated job. */
export function federatedRoleIn(job: FederatedJob, account: Address | undefined) {
  if (account === undefined) return undefined;
  if (sameAddress(job.terms.requester, account)) return "requester" as const;
  const member = memberOf(job, account);
  return member && (member.seat ? ("validator" as const) : ("provider" as const));
}

/** The token that pays a federated job, as it is shown. */
export async function federatedToken(
  context: Pick<CommandContext, "config" | "signal">,
  market: Pick<MarketReader, "token">,
  { terms: { token } }: Pick<FederatedJob, "terms">,
): Promise<TokenInfo> {
  return (await readTokens(context, market, [token], { signal: context.signal }))(token);
}

/** A federated job as `--json` has it. */
export function federatedData(job: FederatedJob, account: Address | undefined, token: TokenInfo) {
  const { id, state, stopping, cause, deadline, terms, members, closings } = job;
  const listed = (seats: boolean) =>
    members
      .filter(({ seat }) => seat === seats)
      .map(({ account: one, standing, claimed }) => ({ account: one, standing, claimed: String(claimed) }));
  return {
    jobId: id,
    kind: "federated" as const,
    ...{ state, stopping, cause, role: federatedRoleIn(job, account) },
    deadline,
    rounds: { closed: closings.length, of: terms.rounds },
    token,
    disputes: job.disputes.map(({ about, round, challenger, panel, committed, revealed, deadline: by }) => ({
      ...{ about, round, challenger, panel: [...panel], deadline: by },
      ...{ committed: committed.length, revealed: revealed.length },
    })),
    judged: job.judged.map(({ about, round, challenger, decided, stands }) => ({
      ...{ about, round, challenger, decided, stands },
    })),
    price: String(federatedPriceOf(terms)),
    providers: listed(false),
    validators: listed(true),
    models: closings.map(({ closing }) => closing.modelDigest),
  };
}

/** The same for people, a field a row. */
export function federatedRows(job: FederatedJob, token: TokenInfo): [string, string][] {
  const { id, state, stopping, cause, terms, members, closings, deadline } = job;
  const enlisted = members.filter(({ seat }) => !seat).length;
  const due = new Date(deadline * 1000).toISOString();
  return [
    ["job", `${id} (federated)`],
    [
      "state",
      `${state}${cause === undefined ? "" : ` (${cause})`}${stopping ? ", stops after this round" : ""}`,
    ],
    ["rounds", `${closings.length} of ${terms.rounds} closed`],
    [
      "providers",
      `${enlisted} of ${terms.places}${terms.least < terms.places ? `, at least ${terms.least}` : ""}`,
    ],
    ...(terms.seats > 0
      ? [["validators", `${members.length - enlisted} of ${terms.seats}`] satisfies [string, string]]
      : []),
    ...job.disputes.map((one): [string, string] => ["dispute", disputeText(one)]),
    ...job.judged.map((one): [string, string] => ["judged", judgedText(one)]),
    ["price", money(federatedPriceOf(terms), token)],
    ["deposit", coin(terms.providerStake)],
    [state === "Ended" ? "pay from" : "due", due],
    ...closings.map(({ closing }): [string, string] => [`model ${closing.round}`, closing.modelDigest]),
  ];
}

export function federatedLine(job: FederatedJob): string {
  const { id, state, cause, members, terms, closings } = job;
  const why = cause === undefined ? "" : ` (${cause})`;
  const enlisted = state === "Enlisting" ? `, ${members.length} of ${terms.places} providers` : "";
  return `${shortId(id)} ${state}${why}${enlisted}, ${closings.length} of ${terms.rounds} rounds closed${job.disputes.map((one) => `; dispute ${disputeText(one)}`).join("")}`;
}
