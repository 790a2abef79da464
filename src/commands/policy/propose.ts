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

/**
 * Writes a policy.yaml into the home, with `price` or else the median of what is asked for machines of this kind.
 * @throws TARGET_EXISTS, and the codes of market and sandbox
 */
export async function proposePolicy(context: CommandContext, price?: bigint): Promise<Proposal> {
  const { config, signal } = context;
  const { tier, gpus } = await (await openSandbox(context)).probe({ signal });
  const own = machineKind({ tier, gpus });
  const offers: Offer[] = [];
  if (config.network !== undefined)
    await withReader(context, async ({ market }) => {
      for await (const offer of market.offers({ signal })) offers.push(offer);
    });
  const market = marketPrices(offers).find((one) => one.tier === own.tier && one.gpu === own.gpu);
  const asked = price ?? market?.median ?? USUAL_PRICE;
  const file = join(config.home, "policy.yaml");
  try {
    await writeFile(file, policyText(asked, market), { flag: "wx", mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST")
      throw new IchainError("TARGET_EXISTS", `${file} exists already.`, {
        hint: "Move it away for a new proposal, or change it by hand.",
      });
    throw new IchainError("CONFIG_UNWRITABLE", `${file} cannot be written.`, { cause });
  }
  await loadPolicy(file);
  return { file, price: asked, market };
}

function policyText(price: bigint, market: MarketPrices | undefined): string {
  const found =
    market === undefined
      ? "Nobody offers a machine like this one on the network yet: look again later."
      : `For machines like this one ${market.offers} offers ask ${coinText(market.p10)} (P10), ${coinText(market.median)} (median), ${coinText(market.p90)} (P90).`;
  return `# What this machine takes on, and at what price. All fields: docs/reference/policy.md.
# "ichain policy test policy.yaml job.yaml" says whether a job would be taken; "ichain reload" has a daemon read it again.

# Coin for an hour of the run window, at least. ${found}
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
