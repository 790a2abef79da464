import type { AbortOptions } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { MarketReader } from "../../ports/market.ts";
import { COIN, type TokenInfo } from "../../protocol/amounts.ts";
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

/**
 * What the escrows owe `account`, that of federated jobs apart (`ofRounds`), by token: the coin, what the network file
 * lists, and of the tokens of the account's jobs those that it is owed something in.
 */
export async function owedTo(
  context: Pick<CommandContext, "config">,
  market: MarketReader,
  account: Address,
  options: AbortOptions,
): Promise<{ readonly token: TokenInfo; readonly owed: bigint; readonly ofRounds: bigint }[]> {
  const listed = [COIN.address, ...Object.values(context.config.network?.tokens ?? {})];
  const isListed = (token: Address) => listed.some((one) => sameAddress(one, token));
  const filters = [{ requester: account }, { provider: account }, { validator: account }];
  const hasRounds = context.config.network?.contracts.federated !== undefined;
  const jobs = (
    await Promise.all(
      filters.flatMap((filter) => [
        market.jobs(filter, options),
        ...(hasRounds ? [market.federatedJobs(filter, options)] : []),
      ]),
    )
  ).flat();
  const others = new Set(jobs.map(({ terms }) => terms.token).filter((token) => !isListed(token)));
  const asked = [...listed, ...[...others].slice(-MAX_UNLISTED)];
  const owed = await Promise.all(asked.map((token) => market.owed(account, token, options)));
  const ofRounds = await Promise.all(
    asked.map((token) => (hasRounds ? market.owedFederated(account, token, options) : 0n)),
  );
  const due = asked
    .map((address, i) => ({ address, owed: owed[i] ?? 0n, ofRounds: ofRounds[i] ?? 0n }))
    .filter((one) => isListed(one.address) || one.owed + one.ofRounds > 0n);
  const tokens = await readTokens(
    context,
    market,
    due.map(({ address }) => address),
    options,
  );
  return due.map(({ address, ...sums }) => ({ token: tokens(address), ...sums }));
}
