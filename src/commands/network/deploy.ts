import { join } from "node:path";
import { deployMarket } from "../../compose.ts";
import { type NetworkConfig, networkSchema } from "../../config/network-schema.ts";
import { saveNetwork } from "../../config/write.ts";
import { parseYaml } from "../../config/yaml.ts";
import type { CommandContext } from "../framework/declaration.ts";

interface Options {
  readonly name: string;
  readonly rpc: string;
  readonly confirmations: number;
  readonly poolStake?: bigint;
  readonly cooldown?: number;
  readonly dataFee?: NetworkConfig["dataFee"];
  readonly folder?: string;
}

/** Deploys the market with this home's wallet and keeps the network's file; again, it changes nothing. */
export async function run(context: CommandContext, _args: object, options: Options): Promise<void> {
  const { config, ui } = context;
  const { name, confirmations, dataFee } = options;
  // Before any coin is spent.
  const { rpcUrl } = parseYaml(
    { text: JSON.stringify({ name, rpcUrl: options.rpc }), name: "the command line", code: "CONFIG_INVALID" },
    networkSchema.pick({ name: true, rpcUrl: true }),
  );
  const folder = options.folder ?? join(config.home, "deployments", name);
  const { poolStake, cooldown } = options;
  ui.reporter.emit({ kind: "start", id: "deploy", text: "Deploying the market" });
  const { chainId, ...contracts } = await deployMarket(context, {
    ...{ rpcUrl, folder, confirmations, poolStake },
    cooldown: cooldown === undefined ? undefined : BigInt(cooldown),
  });
  ui.reporter.emit({ kind: "end", id: "deploy", text: "Deployed the market" });
  const network = networkSchema.parse({ name, chainId, rpcUrl, contracts, confirmations, dataFee });
  await saveNetwork(config.paths.networks, network);
  const file = join(config.paths.networks, `${name}.yaml`);
  ui.print({ name, chainId, contracts, file }, () =>
    [
      `The market is on chain ${chainId}; its escrow is ${contracts.escrow}.`,
      `Others take it with "ichain network add" from a copy of ${file}; first replace rpcUrl if it holds a key of yours.`,
    ].join("\n"),
  );
}
