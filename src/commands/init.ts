import { readKeystore } from "../account/keystore.ts";
import { makeNewKeyring } from "../compose.ts";
import { readNetwork } from "../config/file.ts";
import { changeConfigFile, saveNetwork } from "../config/write.ts";
import { coinText } from "../protocol/amounts.ts";
import type { CommandContext } from "./framework/declaration.ts";
import { knownNetworks } from "./network/known.ts";
import { type Proposal, proposePolicy } from "./policy/propose.ts";
import { makeWallet } from "./wallet/create.ts";

interface Options {
  readonly yes?: true;
  readonly role?: "requester" | "provider" | "validator";
  readonly network?: string;
  readonly rpc?: string;
  readonly transport?: "onion" | "direct";
  /** False with --no-wallet. */
  readonly wallet: boolean;
  readonly newKeyring?: true;
  readonly policy?: true;
  /** Wei an hour. */
  readonly price?: bigint;
}

/**
 * Sets an account up: role, network, transport, wallet. What is there already stays: run again, it asks
 * only for what is missing or changes what a flag names.
 */
export async function run(context: CommandContext, _args: object, options: Options): Promise<void> {
  const { config, ui } = context;
  const ask = ui.interactive && !options.yes;
  const role = options.role ?? (config.role === undefined && ask ? await askRole(context) : undefined);
  const chosen =
    options.network ?? (config.network === undefined && ask ? await askNetwork(context) : undefined);
  const network = await resolveNetwork(context, chosen, options.rpc);
  const json = options.wallet ? await readKeystore(config) : undefined;
  const needsWallet = options.wallet && json === undefined;
  const made = needsWallet ? await makeWallet(context) : undefined;
  await changeConfigFile(config.paths.config, {
    ...(role && { role }),
    ...(network && { network }),
    ...(options.transport && { transport: options.transport }),
  });
  if (options.newKeyring) {
    await makeNewKeyring(context);
  }
  const wanted = options.policy ?? (ask && role === "provider" ? await askPolicy(context) : false);
  const used =
    network === undefined
      ? config.network
      : await readNetwork(network, { networks: config.paths.networks, rpcUrl: undefined });
  const proposal = wanted
    ? await proposePolicy({ ...context, config: { ...config, network: used } }, options.price)
    : undefined;
  const data = {
    config: config.paths.config,
    role: role ?? config.role,
    network: network ?? config.network?.name,
    walletMade: made !== undefined,
    keyringMade: options.newKeyring === true,
    ...(made !== undefined && { address: made }),
    ...(proposal !== undefined && { policy: proposal }),
  };
  ui.print(data, () => summary(data));
}

function summary(data: {
  config: string;
  network: string | undefined;
  address?: string;
  policy?: Proposal;
  keyringMade: boolean;
}): string {
  const lines = [`Set up in ${data.config}.`];
  if (data.keyringMade)
    lines.push(
      "New keys are made: a daemon publishes them as it starts; nothing sealed to the old ones opens.",
    );
  if (data.address !== undefined) lines.push(`The new wallet's address: ${data.address}`);
  if (data.network === undefined) lines.push('No network yet: "ichain init --network FILE" names one.');
  if (data.policy !== undefined) {
    const { file, price, market } = data.policy;
    const basis =
      market === undefined ? "nobody offers such a machine yet" : `${market.offers} offers of such machines`;
    lines.push(
      `The policy ${file} asks ${coinText(price)} coin an hour (${basis}).`,
      `Measure the machine with "ichain benchmark", then earn with "ichain provide --policy ${file}".`,
    );
  }
  lines.push('Next: "ichain doctor" says whether everything works.');
  return lines.join("\n");
}

const askRole = ({ ui }: CommandContext): Promise<"requester" | "provider" | "validator"> =>
  ui.prompts.select("What is this machine for?", [
    { name: "requester", value: "requester", description: "asks others to run work" },
    { name: "provider", value: "provider", description: "runs others' work and is paid for it" },
    { name: "validator", value: "validator", description: "confirms results and is paid for it" },
  ]);

const askPolicy = ({ ui }: CommandContext): Promise<boolean> =>
  ui.prompts.select("Write a policy with a price from the market?", [
    { name: "yes", value: true },
    { name: "no", value: false },
  ]);

async function askNetwork({ config, ui }: CommandContext): Promise<string | undefined> {
  const names = await knownNetworks(config.paths.networks);
  const chosen = await ui.prompts.select<"file" | "later" | { name: string }>("Which network?", [
    ...names.map((name) => ({ name, value: { name } })),
    { name: "a network file…", value: "file" as const },
    { name: "later", value: "later" as const },
  ]);
  if (chosen === "later") return undefined;
  return chosen === "file" ? ui.prompts.input("The network file:") : chosen.name;
}

/** Checks the network's file and keeps a copy of it, so that the original may go. */
async function resolveNetwork(
  { config }: CommandContext,
  chosen: string | undefined,
  rpcUrl: string | undefined,
): Promise<string | undefined> {
  const source = chosen ?? (rpcUrl === undefined ? undefined : config.network);
  const network = await readNetwork(source, { networks: config.paths.networks, rpcUrl });
  return network && saveNetwork(config.paths.networks, network);
}
