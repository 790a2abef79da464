import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openGossipStore } from "../../../compose.ts";
import { isIchainError } from "../../../errors/error.ts";
import { summariseBlock, witnessesOf } from "../../../protocol/gossip/chain/summary.ts";
import { finalBlockSchema } from "../../../protocol/gossip/records/block.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { withDaemons } from "../../steps/daemons.ts";
import { gossipApi } from "../api/gossip.ts";
import type { PageContext } from "../page.ts";

/** Blocks of a chain that are shown. */
const MAX_BLOCKS = 200;

/** The home's gossip peers. */
export function gossipRoutes({ context }: PageContext): readonly WebRoute[] {
  return [
    route(gossipApi.gossip, async () => {
      const statuses = await withDaemons(context, (found) =>
        Promise.all(found.map((one) => one.ask("status"))),
      );
      const running = statuses.find(({ kind }) => kind === "peer");
      const folder = join(context.config.home, "gossip");
      const names = (await readdir(folder).catch(() => [])).toSorted();
      const kept = names.filter((name) => existsSync(join(folder, name, "peer.db")));
      const networks = await Promise.all(kept.map((name) => networkOf(name, join(folder, name, "peer.db"))));
      return { networks, ...(running !== undefined && { running }) };
    }),
  ];
}

/** A peer's own chain, which it wrote itself: `gossip verify` checks it, which takes long. */
async function networkOf(name: string, path: string) {
  try {
    using store = await openGossipStore(path);
    let count = 0;
    const newest: string[] = [];
    for (const line of store.blocks()) {
      count += 1;
      newest.push(line);
      if (newest.length > MAX_BLOCKS) newest.shift();
    }
    const blocks = newest.map((line) => finalBlockSchema.parse(JSON.parse(line)));
    const account = blocks[0]?.block.creator.account;
    const witnesses = witnessesOf(blocks).map(([one, confirmations]) => ({ account: one, confirmations }));
    const shown = blocks.map(summariseBlock);
    return { name, count, blocks: shown, witnesses, ...(account !== undefined && { account }) };
  } catch (error) {
    const why = isIchainError(error) ? error.message : "What is kept of it is no chain.";
    return { name, count: 0, blocks: [], witnesses: [], why };
  }
}
