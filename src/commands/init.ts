import { existsSync } from "node:fs";
import { readKeystore } from "../account/keystore.ts";
import { makeNewKeyring } from "../compose.ts";
import { readNetwork } from "../config/file.ts";
import { changeConfigFile, saveNetwork } from "../config/write.ts";
import { DEVNET_CHAIN_ID } from "../devnet/evm/node.ts";
import { coinText } from "../protocol/amounts.ts";
import { scoreSentence } from "./benchmark.ts";
import type { CommandContext } from "./framework/declaration.ts";
import { knownNetworks } from "./network/known.ts";
import { askPrepare, type Prepared, prepareProvider } from "./policy/prepare.ts";
import { marketText, policyPath } from "./policy/propose.ts";
import { verdictText } from "./policy/test.ts";
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
  /** False with --no-benchmark. */
  readonly benchmark: boolean;
  /** Wei an hour. */
  readonly price?: bigint;
}

/**
 * Sets an account up: role, network, transport, wallet; for a provider a policy and a score too. What is there already stays: run again, it asks
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
  const wishes = options.policy
    ? { measure: options.benchmark }
    : ask && role === "provider"
      ? await askPrepare(context)
      : undefined;
  const used =
    network === undefined
      ? config.network
      : await readNetwork(network, { networks: config.paths.networks, rpcUrl: undefined });
  const prepared =
    wishes &&
    (await prepareProvider(
      { ...context, config: { ...config, network: used } },
      { ask, price: options.price, ...wishes },
    ));
  const address = made ?? (json === undefined ? undefined : await addressIn(json));
  const data = {
    config: config.paths.config,
    role: role ?? config.role,
    network: network ?? config.network?.name,
    walletMade: made !== undefined,
    keyringMade: options.newKeyring === true,
    ...(made !== undefined && { address: made }),
    ...(prepared !== undefined && { prepared }),
  };
  ui.print(data, () => summary(data, { address, chainId: used?.chainId, policy: policyPath(config) }));
}

interface Summary {
  readonly config: string;
  readonly role?: Options["role"];
  readonly network: string | undefined;
  readonly address?: string;
  readonly prepared?: Prepared;
  readonly keyringMade: boolean;
}

interface Known {
  /** Of the wallet, made now or before. */
  readonly address: string | undefined;
  readonly chainId: number | undefined;
  readonly policy: string;
}

function summary(data: Summary, known: Known): string {
  const lines = [`Set up in ${data.config}.`];
  if (data.keyringMade)
    lines.push(
      "New keys are made: a daemon publishes them as it starts; nothing sealed to the old ones opens.",
    );
  if (data.address !== undefined) lines.push(`The new wallet's address: ${data.address}`);
  if (data.prepared !== undefined) lines.push(...preparedText(data.prepared));
  return [...lines, "", "Next:", ...nextSteps(data, known).flatMap(stepText)].join("\n");
}

function preparedText({ benchmark, policy: { file, price, market }, verdicts }: Prepared): string[] {
  return [
    ...(benchmark === undefined ? [] : [scoreSentence(benchmark)]),
    `The policy ${file} asks ${coinText(price)} coin an hour; ${marketText(market)}.`,
    'It was tried with the job of "ichain new sklearn":',
    ...verdicts.map((verdict) => `  ${verdictText(verdict)}`),
  ];
}

/** Commands to type, each with what it is for; what is not known or not done yet comes first. */
function nextSteps(
  { role, network, prepared }: Summary,
  { address, chainId, policy }: Known,
): [string, string][] {
  if (network === undefined) return [["ichain init --network FILE", "names the market, by its network file"]];
  const fund: [string, string] =
    chainId === DEVNET_CHAIN_ID
      ? ["ichain devnet fund", "gives this wallet coin of the devnet"]
      : [`(send coin to ${address ?? "your wallet"})`, "for gas, and for what you lock"];
  const doctor: [string, string] = ["ichain doctor", "says what works here, and how to mend the rest"];
  if (role !== "provider" && role !== "validator")
    return [
      doctor,
      fund,
      ["ichain new sklearn job", "writes the folder of a job"],
      ["ichain submit job/job.yaml --wait", "has it done, and opens its result"],
    ];
  const isHeld = prepared?.runtime ?? true;
  const option = existsSync(policy) ? ` --policy ${policy}` : "";
  return [
    doctor,
    ...(isHeld
      ? []
      : [["ichain runtime build python-ml", "makes the image that most jobs run in"] as [string, string]]),
    [fund[0], `${fund[1]}: 1 as stake ("--stake" below for another), some for gas`],
    [`ichain ${role === "provider" ? "provide" : "validate"}${option}`, "takes jobs until Ctrl-C"],
    ...firstJob(role, chainId, address),
    ["ichain earnings", "says, in another terminal, what they paid"],
  ];
}

/** On a devnet no other requester comes by itself. */
function firstJob(
  role: "provider" | "validator",
  chainId: number | undefined,
  address: string | undefined,
): [string, string][] {
  if (chainId !== DEVNET_CHAIN_ID || address === undefined) return [];
  const submit = `ichain submit examples/digits/job.yaml --wait --${role} ${address}`;
  return [[submit, "as the requester of the devnet, in a terminal with its two variables: a first job"]];
}

function stepText([command, what]: readonly [string, string]): string[] {
  return [`  ${command}`, `      ${what}`];
}

/** Undefined for a damaged keystore: "ichain doctor", the first of the next steps, says what is wrong with it. */
async function addressIn(json: string): Promise<string | undefined> {
  const { walletAddress } = await import("../chain/wallet.ts");
  try {
    return walletAddress(json);
  } catch {
    return undefined;
  }
}

const askRole = ({ ui }: CommandContext): Promise<"requester" | "provider" | "validator"> =>
  ui.prompts.select("What is this machine for?", [
    { name: "requester", value: "requester", description: "asks others to run work" },
    { name: "provider", value: "provider", description: "runs others' work and is paid for it" },
    { name: "validator", value: "validator", description: "confirms results and is paid for it" },
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
