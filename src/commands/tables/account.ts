import type { CommandDeclaration } from "../framework/declaration.ts";
import { coins } from "../framework/parse.ts";
import { ownerOptions } from "./stake.ts";

/** Commands that set a machine and an account up. */
export const accountCommands: readonly CommandDeclaration[] = [
  {
    name: "init",
    group: "Set up",
    summary: "set up this account: network, wallet, transport",
    options: [
      { flags: "--yes", summary: "ask nothing but a new wallet's password" },
      {
        flags: "--role <role>",
        summary: "what this machine is for",
        choices: ["requester", "provider", "validator"],
      },
      { flags: "--network <name>", summary: "a network file, or a name in the home folder's networks/" },
      {
        flags: "--rpc <urls>",
        summary: "the chain's JSON-RPC address, or several with commas, instead of the network's own",
      },
      { flags: "--transport <name>", summary: "how parcels travel", choices: ["onion", "direct"] },
      { flags: "--no-wallet", summary: "make no wallet" },
      {
        flags: "--policy",
        summary:
          "for a provider: measure the machine, write a policy.yaml with a price from the market, and try it",
      },
      { flags: "--no-benchmark", summary: "do not measure the machine" },
      {
        flags: "--price <coin>",
        summary: "the policy's price of an hour, instead of the market's median",
        parse: coins,
      },
      { flags: "--new-keyring", summary: "make new keys where the old ones are lost for good" },
    ],
    examples: ["ichain init", "ichain init --yes --role provider --network devnet --policy"],
    load: () => import("../init.ts"),
  },
  {
    name: "doctor",
    group: "Set up",
    summary: "say what works here, what does not, and how to mend it",
    examples: ["ichain doctor", "ichain doctor --json"],
    load: () => import("../doctor.ts"),
  },
  {
    name: "update",
    group: "Set up",
    summary: "say whether a newer version is published, and how to install it",
    options: [
      { flags: "--check", summary: "look only; ichain does not install anything itself", required: true },
    ],
    examples: ["ichain update --check", "ichain update --check --json"],
    load: () => import("../home/update.ts"),
  },
  {
    name: "backup",
    group: "Set up",
    summary: "write keys, journal, configuration and open jobs of this home to one encrypted file",
    arguments: [{ syntax: "<file>", summary: "must not exist" }],
    options: [
      {
        flags: "--move",
        summary: "leave this home for good: it acts no more, and the file is its successor",
      },
    ],
    examples: ["ichain backup ichain.backup", "ichain backup ichain.backup --move"],
    load: () => import("../home/backup.ts"),
  },
  {
    name: "restore",
    group: "Set up",
    summary: "make this home, which must be empty, of a backup",
    arguments: [{ syntax: "<file>", summary: "what `ichain backup` wrote" }],
    options: [
      { flags: "--lost", summary: "of a home that was not moved: it is lost for good, and acts nowhere" },
    ],
    examples: ["ichain restore ichain.backup", "ichain restore ichain.backup --lost"],
    load: () => import("../home/restore.ts"),
  },
  {
    name: "wallet create",
    group: "Set up",
    summary: "make a wallet, encrypted with a password",
    examples: ["ichain wallet create", "ICHAIN_PASSWORD_FILE=pw.txt ichain wallet create"],
    load: () => import("../wallet/create.ts"),
  },
  {
    name: "wallet import",
    group: "Set up",
    summary: "take a wallet from a keystore file or a private key",
    arguments: [
      {
        syntax: "[file]",
        summary: "a V3 keystore, or a file that holds a private key; a prompt when absent",
      },
    ],
    examples: ["ichain wallet import keystore.json", "ichain wallet import"],
    load: () => import("../wallet/import.ts"),
  },
  {
    name: "wallet address",
    group: "Set up",
    summary: "print the account's address",
    examples: ["ichain wallet address"],
    load: () => import("../wallet/address.ts"),
  },
  {
    name: "wallet balance",
    group: "Set up",
    summary: "print what the account holds, and what the escrow owes it, in the coin and in tokens",
    examples: ["ichain wallet balance", "ichain wallet balance --json"],
    load: () => import("../wallet/balance.ts"),
  },
  {
    name: "wallet withdraw",
    group: "Set up",
    summary: "pay what the escrow owes the account to its payee; jobs that end do it by themselves",
    arguments: [{ syntax: "[token]", summary: "`coin`, a token's name or its address; all when absent" }],
    options: ownerOptions,
    examples: ["ichain wallet withdraw", "ichain wallet withdraw tusd"],
    load: () => import("../wallet/withdraw.ts"),
  },
  {
    name: "journal repair",
    group: "Set up",
    summary: "rebuild a damaged or lost journal from what is left of it, the chain and the disk",
    examples: ["ichain journal repair"],
    load: () => import("../journal/repair.ts"),
  },
  {
    name: "completion",
    group: "Set up",
    summary: "print a shell's completion script",
    arguments: [{ syntax: "<shell>", summary: "the shell", choices: ["bash", "zsh", "fish"] }],
    examples: ["source <(ichain completion bash)"],
    load: () => import("../completion.ts"),
  },
];
