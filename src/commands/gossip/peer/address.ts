import { openGossipParts } from "../../../compose.ts";
import { formatPeerAddress } from "../../../protocol/gossip/address.ts";
import { genesisDigest, genesisOf } from "../../../protocol/gossip/genesis.ts";
import { ownAddress } from "../../../roles/gossip/running/own-address.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { loadPeerFile } from "./peer-file.ts";

/** Prints where this home's peer is reached in a network. */
export async function run(context: CommandContext, args: { file: string }): Promise<void> {
  const { file, start } = await loadPeerFile(args.file);
  const { key, transport } = await openGossipParts(context);
  const found = await ownAddress(key, genesisDigest(genesisOf(file.name, start)), transport);
  const address = formatPeerAddress(found.address);
  context.ui.print({ account: found.address.account, address }, () => address);
}
