import type { AbortOptions } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import type { Hex } from "../../../protocol/ids.ts";

const kinds = { job: "a job", federated: "a federated job", campaign: "a data campaign" } as const;

/** What an id names. */
export interface Subject {
  readonly kind: keyof typeof kinds;
  readonly id: Hex;
}

/**
 * What starts with `prefix` (0x optional): a job of one kind or the other, or a data campaign.
 * @throws JOB_UNKNOWN where nothing does, JOB_AMBIGUOUS and CAMPAIGN_AMBIGUOUS where several do
 */
export async function subjectOf(
  market: Pick<MarketReader, "resolveJob" | "resolveFederatedJob" | "resolveCampaign">,
  prefix: string,
  options: AbortOptions,
): Promise<Subject> {
  const resolve = {
    job: market.resolveJob,
    federated: market.resolveFederatedJob,
    campaign: market.resolveCampaign,
  };
  const found: Subject[] = [];
  for (const kind of ["job", "federated", "campaign"] as const) {
    try {
      found.push({ kind, id: await resolve[kind](prefix, options) });
    } catch (error) {
      if (!isIchainError(error, "JOB_UNKNOWN") && !isIchainError(error, "CAMPAIGN_UNKNOWN")) throw error;
    }
  }
  const [first, second] = found;
  const given = prefix.slice(0, 70);
  if (first === undefined) {
    throw new IchainError(
      "JOB_UNKNOWN",
      `No job and no data campaign that begins with ${given} is on the chain.`,
      {
        hint: "`ichain jobs` and `ichain data list` list them; a new one appears after a few blocks.",
      },
    );
  }
  if (second === undefined) return first;
  throw new IchainError(
    "JOB_AMBIGUOUS",
    `Both ${kinds[first.kind]} and ${kinds[second.kind]} begin with ${given}.`,
  );
}
