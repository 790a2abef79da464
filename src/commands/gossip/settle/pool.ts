import { resolve } from "node:path";
import { openRole } from "../../../compose.ts";
import { IchainError } from "../../../errors/error.ts";
import { amountText, COIN } from "../../../protocol/amounts.ts";
import { genesisDigest } from "../../../protocol/gossip/genesis.ts";
import type { Address } from "../../../protocol/ids.ts";
import { postPool } from "../../../roles/gossip/settle/pool.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { openChain } from "../open-chain.ts";
import { writeTicket } from "./ticket.ts";

/** Locks a pool for these peers in the federated escrow, and writes the ticket that they enlist with. */
export async function run(
  context: CommandContext,
  args: { chain: string; ticket: string; peers: readonly string[] },
  options: {
    pool: bigint;
    deposit: bigint;
    span: number;
    least?: number;
    enlist: number;
    period: number;
    dispute: number;
  },
): Promise<void> {
  const { ui, signal } = context;
  const peers = [...new Set(args.peers.map((one) => one.toLowerCase() as Address))];
  const { span, pool, deposit, least = peers.length, enlist, period, dispute } = options;
  const wrong = peers.find((one) => !/^0x[0-9a-f]{40}$/.test(one));
  if (wrong !== undefined || least > peers.length) {
    const why = wrong === undefined ? `There are fewer than ${least} peers.` : `"${wrong}" is no account.`;
    throw new IchainError("USAGE", why, { hint: "Name the account of each peer, and --least no larger." });
  }
  const { genesis } = await openChain(args.chain);
  const spec = { version: 1, genesis: genesisDigest(genesis), span } as const;
  await using role = await openRole(context);
  const { job } = await postPool(
    role,
    { spec, pool, deposit, peers, least, windows: { enlist, period, dispute } },
    (ticket) => writeTicket(args.ticket, ticket),
    { signal },
  );
  const posted = { job, ticket: resolve(args.ticket), pool, peers };
  ui.print(
    posted,
    () =>
      `${amountText(pool, COIN.decimals)} is locked for ${peers.length} peers. Give each ${posted.ticket}: ichain gossip enlist.`,
  );
}
