import type { CommandDeclaration } from "../framework/declaration.ts";
import { integer } from "../framework/parse.ts";

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
        choices: ["lazy", "wrong", "vanish", "slow", "no-key", "corrupt", "no-report", "no-seed"],
      },
      { flags: "--direct", summary: "without Tor: the direct transport on loopback" },
      { flags: "--anvil", summary: "Foundry's chain in place of Hardhat's (a development dependency)" },
      { flags: "--dir <folder>", summary: "keep everything there; a temporary folder when absent" },
    ],
    examples: ["ichain devnet", "ichain devnet --providers 3 --validators 2 --bad wrong"],
    load: () => import("../devnet.ts"),
  },
  {
    name: "demo",
    group: "Try it",
    summary: "run one real job on a devnet of its own, from submit to a rated result",
    options: [{ flags: "-o, --out <folder>", summary: "where the trained model goes" }],
    examples: ["ichain demo", "ichain demo --json"],
    load: () => import("../demo.ts"),
  },
];
