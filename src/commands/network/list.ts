import { readNetwork } from "../../config/file.ts";
import type { NetworkConfig } from "../../config/network-schema.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { knownNetworks } from "./known.ts";

/** Lists the networks of this home. */
export async function run({ config, ui }: CommandContext): Promise<void> {
  const { networks } = config.paths;
  const found: NetworkConfig[] = [];
  for (const name of await knownNetworks(networks)) {
    found.push((await readNetwork(name, { networks, rpcUrl: undefined })) as NetworkConfig);
  }
  const data = found.map(({ name, chainId, contracts, confirmations }) => {
    const inUse = config.network?.name === name;
    return { name, chainId, escrow: contracts.escrow, confirmations, inUse };
  });
  ui.print({ networks: data }, () =>
    data.length === 0
      ? 'No network is known: "ichain network add FILE" takes one.'
      : ui.table(
          ["NAME", "CHAIN", "ESCROW", "CONFIRMATIONS", "IN USE"],
          data.map((one) => [
            one.name,
            String(one.chainId),
            one.escrow,
            String(one.confirmations),
            one.inUse ? "yes" : "",
          ]),
        ),
  );
}
