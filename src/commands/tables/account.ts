import type { CommandDeclaration } from "../declaration.ts";

/** Commands that set a machine and an account up. */
export const accountCommands: readonly CommandDeclaration[] = [
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
    summary: "print the account's coin, and what the escrow owes it",
    examples: ["ichain wallet balance", "ichain wallet balance --json"],
    load: () => import("../wallet/balance.ts"),
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
