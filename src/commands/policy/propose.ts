import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSandbox } from "../../compose.ts";
import { loadPolicy } from "../../daemon/work.ts";
import { IchainError } from "../../errors/error.ts";
import { coinText } from "../../protocol/amounts.ts";
import { type MarketPrices, machineKind, marketPrices } from "../../protocol/machine/prices.ts";
import type { Offer } from "../../protocol/offer.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";

/** Asked for an hour where nobody offers such a machine: the policy's own default. */
const USUAL_PRICE = 10n ** 16n;

/** What was written, and what the price was taken from: absent where nobody offers such a machine. */
export interface Proposal {
  readonly file: string;
  /** Wei an hour. */
  readonly price: bigint;
  readonly market?: MarketPrices | undefined;
}

export const policyPath = ({ home }: CommandContext["config"]): string => join(home, "policy.yaml");

/**
 * Writes a policy.yaml into the home, with the price that `choose` returns for the median of what is asked for machines
 * of this kind.
 * @throws TARGET_EXISTS, and the codes of market and sandbox
 */
export async function proposePolicy(
  context: CommandContext,
  choose: (usual: bigint, market: MarketPrices | undefined) => Promise<bigint> | bigint,
): Promise<Proposal> {
  const { config, signal } = context;
  const file = policyPath(config);
  if (existsSync(file)) throw policyExists(file);
  const { tier, gpus } = await (await openSandbox(context)).probe({ signal });
  const own = machineKind({ tier, gpus });
  const offers: Offer[] = [];
  if (config.network !== undefined)
    await withReader(context, async ({ market }) => {
      for await (const offer of market.offers({ signal })) offers.push(offer);
    });
  const market = marketPrices(offers).find((one) => one.tier === own.tier && one.gpu === own.gpu);
  const asked = await choose(market?.median ?? USUAL_PRICE, market);
  try {
    await writeFile(file, policyText(asked, market), { flag: "wx", mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw policyExists(file);
    throw new IchainError("CONFIG_UNWRITABLE", `${file} cannot be written.`, { cause });
  }
  await loadPolicy(file);
  return { file, price: asked, market };
}

function policyExists(file: string): IchainError {
  return new IchainError("TARGET_EXISTS", `${file} exists already.`, {
    hint: "Move it away for a new proposal, or change it by hand.",
  });
}

/** What others ask for such machines, for people. */
export function marketText(market: MarketPrices | undefined): string {
  if (market === undefined) return "nobody offers a machine like this one yet";
  const { offers, p10, median, p90 } = market;
  if (offers === 1) return `the one offer of a machine like this asks ${coinText(median)}`;
  return `${offers} offers of machines like this ask ${coinText(p10)} (P10), ${coinText(median)} (median), ${coinText(p90)} (P90)`;
}

function policyText(price: bigint, market: MarketPrices | undefined): string {
  return `# What this machine takes on, and at what price. All fields: docs/reference/policy.md.
# "ichain policy test policy.yaml job.yaml" says whether a job would be taken; "ichain reload" has a daemon read it again.

# Coin for an hour of the run window, at least. When this was written, ${marketText(market)}.
pricePerHour: "${coinText(price)}"
# Coin for confirming a result of others, at least.
validationFee: "0.001"
# Jobs that use the machine at once.
maxJobs: 1
# Longest run of a task.
maxTime: 24h
# Stake at risk in one job, as a multiple of its price.
stakePerPrice: 1
`;
}
