import { strategies, strategyNames } from "../../protocol/federated/strategies.ts";
import type { CommandDeclaration } from "../framework/declaration.ts";
import { address, bytes32, coins, integer } from "../framework/parse.ts";

/** `federatedMisbehaviours`; that module would slow down --help. */
const inRounds = ["sign", "label", "thin", "replay", "idle", "drop", "late", "garbage"];
const ledger = { syntax: "<ledger>", summary: "the file, as `simulate --ledger` writes it" };

/** Commands that try the whole market out on one machine. */
export const trialCommands: readonly CommandDeclaration[] = [
  {
    name: "devnet",
    group: "Try it",
    summary: "run a whole market on this machine: chain, private Tor network, actors; until Ctrl-C",
    options: [
      { flags: "--providers <n>", summary: "how many providers", default: 1, parse: integer(1, 16) },
      { flags: "--validators <n>", summary: "how many validators", default: 1, parse: integer(1, 16) },
      {
        flags: "--bad <kind...>",
        summary: "how the first providers cheat, one each",
        choices: [
          ...["lazy", "wrong", "vanish", "slow", "no-key", "corrupt", "no-report", "no-seed"],
          ...inRounds,
        ],
      },
      { flags: "--direct", summary: "without Tor: the direct transport on loopback" },
      { flags: "--anvil", summary: "Foundry's chain in place of Hardhat's (a development dependency)" },
      { flags: "--dir <folder>", summary: "keep everything there; a temporary folder when absent" },
    ],
    examples: ["ichain devnet", "ichain devnet --providers 3 --validators 2 --bad wrong"],
    load: () => import("../devnet.ts"),
  },
  {
    name: "devnet fund",
    group: "Try it",
    summary: "give an account coin of the devnet that this home is set up for; it is worth nothing",
    arguments: [{ syntax: "[account]", summary: "this home's wallet when absent", parse: address }],
    options: [{ flags: "--amount <coin>", summary: "how much; 100 when absent", parse: coins }],
    examples: ["ichain devnet fund"],
    load: () => import("../devnet-fund.ts"),
  },
  {
    name: "demo",
    group: "Try it",
    summary: "run one real job on a devnet of its own, from submit to a rated result",
    options: [
      { flags: "-o, --out <folder>", summary: "where the trained model goes" },
      { flags: "--federated", summary: "a federated job instead: four providers, five rounds" },
      {
        flags: "--bad <kind...>",
        summary: "with --federated: how the first providers cheat, one each; sign when absent",
        choices: inRounds,
      },
      {
        flags: "--validators <n>",
        summary: "with --federated: how many lead the rounds; 1 when absent, 0: the requester does",
        parse: integer(0, 7),
      },
      { flags: "--gossip", summary: "a gossip network instead: four peers, until each has two blocks" },
      {
        flags: "--campaign",
        summary: "a data campaign instead: two contributors, fixes, two versions of a model",
      },
      { flags: "--direct", summary: "with --gossip or --campaign: without Tor, on loopback" },
    ],
    examples: [
      "ichain demo",
      "ichain demo --json",
      "ichain demo --federated --bad label",
      "ichain demo --gossip",
      "ichain demo --campaign",
    ],
    load: () => import("../demo/demo.ts"),
  },
  {
    name: "simulate",
    group: "Try it",
    summary:
      "play a federated job or a data campaign in this process, with bad actors, without chain and network",
    arguments: [
      { syntax: "<file>", summary: "the fed.yaml (docs/federated.md) or campaign.yaml (docs/campaigns.md)" },
    ],
    options: [
      { flags: "--seed <text>", summary: "instead of the file's; the same seed, the same numbers" },
      {
        flags: "--strategy <name>",
        summary: `of a federated job: how updates become a model, instead of the file's: ${strategies.map(({ name, summary }) => `${name} (${summary})`).join("; ")}`,
        choices: strategyNames,
      },
      {
        flags: "--plot <file>",
        summary:
          "write the accuracy by round there, or a campaign's rows, accuracy and balances by day, as SVG",
      },
      {
        flags: "--ledger <file>",
        summary: "of a federated job: write who made what from what there, for verify and trace",
      },
    ],
    examples: [
      "ichain simulate examples/federated/fed.yaml",
      "ichain simulate examples/campaign/campaign.yaml",
      "ichain simulate fed.yaml --strategy fedavg --seed 2 --plot curve.svg --json",
    ],
    load: () => import("../simulation/simulate.ts"),
  },
  {
    name: "verify",
    group: "Try it",
    summary: "check a federated job's ledger offline: signatures, order, members and pay of every round",
    arguments: [ledger],
    options: [
      {
        flags: "--tip <hash>",
        summary: "what the ledger must end with, as the chain has it",
        parse: bytes32,
      },
    ],
    examples: ["ichain verify digits.ledger", "ichain verify digits.ledger --json"],
    load: () => import("../federated/verify.ts"),
  },
  {
    name: "trace",
    group: "Try it",
    summary: "show what a federated job's model was made from, back to the data, and by whom",
    arguments: [
      ledger,
      { syntax: "[model]", summary: "a model's digest, or its first digits; the newest when absent" },
    ],
    options: [
      { flags: "--dot <file>", summary: "write the graph there, for Graphviz" },
      { flags: "--svg <file>", summary: "write the graph there, as SVG" },
    ],
    examples: ["ichain trace digits.ledger", "ichain trace digits.ledger 0x3fa9c01b --svg graph.svg"],
    load: () => import("../federated/trace.ts"),
  },
];
