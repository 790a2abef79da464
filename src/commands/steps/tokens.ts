import type { AbortOptions } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { AccountCall } from "../../ports/market/ownership.ts";
import type { MarketReader } from "../../ports/market.ts";
import { COIN, type TokenInfo } from "../../protocol/amounts.ts";
import { campaignRoles } from "../../protocol/campaign/campaign.ts";
import { type Address, sameAddress, shortId } from "../../protocol/ids.ts";
import { strangeSymbol } from "../../protocol/token.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Tokens as they are shown, by address. */
export type Tokens = (address: Address) => TokenInfo;

/**
 * Reads how amounts in these tokens are shown. One that the network file does not list has its address beside its
 * symbol, which anyone can choose; of one that cannot be read, amounts are in its smallest unit.
 */
export async function readTokens(
  { config }: Pick<CommandContext, "config">,
  market: Pick<MarketReader, "token">,
  addresses: readonly Address[],
  options: AbortOptions,
): Promise<Tokens> {
  const listed = Object.values(config.network?.tokens ?? {});
  const wanted = new Map(addresses.map((address) => [address.toLowerCase(), address]));
  const read = async (address: Address): Promise<TokenInfo> => {
    try {
      const token = await market.token(address, options);
      const known = token === COIN || listed.some((one) => sameAddress(one, address));
      return known ? token : { ...token, symbol: strangeSymbol(token.symbol, address) };
    } catch (error) {
      if (!isIchainError(error, "TOKEN_UNUSABLE")) throw error;
      return unreadable(address);
    }
  };
  const found = new Map(
    await Promise.all([...wanted].map(async ([key, address]) => [key, await read(address)] as const)),
  );
  return (address) => found.get(address.toLowerCase()) ?? unreadable(address);
}

function unreadable(address: Address): TokenInfo {
  return { address, symbol: `units of 0x${shortId(address)}`, decimals: 0 };
}

/** Most tokens that the network file does not list and that an account is asked about. */
const MAX_UNLISTED = 100;

/** What the contracts owe an account in one token: the escrows of jobs and of federated ones, the data campaigns and their markets. */
export interface Owed {
  readonly token: TokenInfo;
  readonly total: bigint;
  /** By the call that pays it. */
  readonly sums: Readonly<Record<WithdrawKind, bigint>>;
}

export type WithdrawKind = Extract<
  AccountCall["kind"],
  `withdraw${"" | "Federated" | "Campaigns" | "Improvements"}`
>;

/**
 * What the contracts owe `account`, by token: the coin, what the network file lists, and of the tokens of the account's
 * jobs and campaigns those that it is owed something in.
 */
export async function owedTo(
  context: Pick<CommandContext, "config">,
  market: MarketReader,
  account: Address,
  options: AbortOptions,
): Promise<Owed[]> {
  const listed = [COIN.address, ...Object.values(context.config.network?.tokens ?? {})];
  const isListed = (token: Address) => listed.some((one) => sameAddress(one, token));
  const filters = [{ requester: account }, { provider: account }, { validator: account }];
  const { federated, campaigns, improvements } = context.config.network?.contracts ?? {};
  const hasRounds = federated !== undefined;
  const parts = campaigns === undefined ? [] : campaignRoles.map((role) => ({ [role]: account }));
  const jobs = (
    await Promise.all(
      filters.flatMap((filter) => [
        market.jobs(filter, options),
        ...(hasRounds ? [market.federatedJobs(filter, options)] : []),
      ]),
    )
  ).flat();
  const collections = (await Promise.all(parts.map((part) => market.campaigns(part, options)))).flat();
  const named = [...jobs, ...collections].map(({ terms }) => terms.token);
  const others = new Set(named.filter((token) => !isListed(token)));
  const asked = [...listed, ...[...others].slice(-MAX_UNLISTED)];
  const owed = await Promise.all(
    asked.map(async (address) => {
      const [withdraw, withdrawFederated, withdrawCampaigns, withdrawImprovements] = await Promise.all([
        market.owed(account, address, options),
        hasRounds ? market.owedFederated(account, address, options) : 0n,
        campaigns === undefined ? 0n : market.owedCampaigns(account, address, options),
        improvements === undefined ? 0n : market.owedImprovements(account, address, options),
      ]);
      const sums = { withdraw, withdrawFederated, withdrawCampaigns, withdrawImprovements };
      return { address, total: Object.values(sums).reduce((sum, one) => sum + one, 0n), sums };
    }),
  );
  const due = owed.filter((one) => isListed(one.address) || one.total > 0n);
  const tokens = await readTokens(
    context,
    market,
    due.map(({ address }) => address),
    options,
  );
  return due.map(({ address, ...found }) => ({ token: tokens(address), ...found }));
}
