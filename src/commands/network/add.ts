import { openMarketCheck } from "../../compose.ts";
import { fetchNetwork } from "../../config/fetch-network.ts";
import { readNetwork } from "../../config/file.ts";
import type { NetworkConfig } from "../../config/network-schema.ts";
import { saveNetwork } from "../../config/write.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { refuseKnownName } from "./known.ts";

/** Takes a network from a file or an address, once its contracts are found to be those of this release. */
export async function run(
  context: CommandContext,
  { source }: { source: string },
  options: { rpc?: string; replace?: true },
): Promise<void> {
  const { config, ui, signal } = context;
  const { networks } = config.paths;
  const given = await fetchNetwork(source, signal);
  const network = (await readNetwork(given, { networks, rpcUrl: options.rpc })) as NetworkConfig;
  if (!options.replace) await refuseKnownName(networks, network.name);
  const examine = await openMarketCheck();
  await examine(network, { signal });
  await saveNetwork(networks, network);
  const { name, chainId, contracts } = network;
  ui.print({ name, chainId, contracts, verified: true }, () =>
    [
      `${name}: chain ${chainId}; all contracts are those of this release, as ${options.rpc === undefined ? "the file's own node" : "your node"} shows them.`,
      `Next: "ichain init --network ${name}".`,
    ].join("\n"),
  );
}
