import type { CommandDeclaration, OptionDeclaration } from "../framework/declaration.ts";
import { address, coins, jobId, variableOption } from "../framework/parse.ts";

const calldataOption: OptionDeclaration = {
  flags: "--calldata",
  summary: "sign and send nothing: print the call for a wallet elsewhere, such as a Safe",
};

/** Of the commands that an account's owner gives, with a wallet that lies here or elsewhere. */
export const ownerOptions: readonly OptionDeclaration[] = [
  {
    flags: "--account <account>",
    summary: "of which account, which this wallet owns; its own when absent",
    parse: address,
  },
  calldataOption,
];

/** Commands about what a provider or validator puts at stake, and on what terms. */
export const stakeCommands: readonly CommandDeclaration[] = [
  {
    name: "appeal",
    group: "Do work",
    summary: "dispute the rejection of your result, or a strike in a federated job, for a bond; once a job",
    arguments: [{ syntax: "<id>", summary: "the job's id, or its first digits", parse: jobId }],
    examples: ["ichain appeal 3fa9c01b"],
    load: () => import("../job/appeal.ts"),
  },
  {
    name: "stake status",
    group: "Do work",
    summary: "show the stake behind your offer: at risk, free, leaving",
    examples: ["ichain stake status"],
    load: () => import("../stake/status.ts"),
  },
  {
    name: "stake deposit",
    group: "Do work",
    summary: "add coin to the stake",
    arguments: [{ syntax: "<coin>", summary: "how much", parse: coins }],
    options: ownerOptions,
    examples: [
      "ichain stake deposit 0.5",
      "ichain stake deposit 0.5 --account 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    ],
    load: () => import("../stake/deposit.ts"),
  },
  {
    name: "stake withdraw",
    group: "Do work",
    summary: "take free stake out of service; a cooldown begins",
    arguments: [{ syntax: "<coin>", summary: "how much", parse: coins }],
    options: ownerOptions,
    examples: ["ichain stake withdraw 0.5"],
    load: () => import("../stake/withdraw.ts"),
  },
  {
    name: "stake collect",
    group: "Do work",
    summary: "pay out the withdrawn stake, once its cooldown is over",
    options: ownerOptions,
    examples: ["ichain stake collect"],
    load: () => import("../stake/collect.ts"),
  },
  {
    name: "owner show",
    group: "Do work",
    summary: "show who owns an account, and where it is paid",
    arguments: [{ syntax: "[account]", summary: "this wallet's when absent", parse: address }],
    examples: ["ichain owner show"],
    load: () => import("../owner/show.ts"),
  },
  {
    name: "owner offer",
    group: "Do work",
    summary: "offer the account to an owner, which then alone moves its stake and says where it is paid",
    arguments: [
      { syntax: "<owner>", summary: "must accept; the account itself takes an offer back", parse: address },
    ],
    options: ownerOptions,
    examples: ["ichain owner offer 0x90F79bf6EB2c4f870365E785982E1f101E93b906"],
    load: () => import("../owner/offer.ts"),
  },
  {
    name: "owner accept",
    group: "Do work",
    summary: "own an account that was offered to this wallet's: its stake and pay are yours",
    arguments: [{ syntax: "<account>", summary: "the account that was offered", parse: address }],
    options: [calldataOption],
    examples: ["ichain owner accept 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"],
    load: () => import("../owner/accept.ts"),
  },
  {
    name: "owner payee",
    group: "Do work",
    summary: "set where an account's stake, and all that it is owed, are paid",
    arguments: [{ syntax: "<payee>", summary: "the account that gets it", parse: address }],
    options: ownerOptions,
    examples: [
      "ichain owner payee 0x90F79bf6EB2c4f870365E785982E1f101E93b906 --account 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --calldata",
    ],
    load: () => import("../owner/payee.ts"),
  },
  {
    name: "policy test",
    group: "Do work",
    summary: "say whether a policy would take a job on this machine, and if not, why",
    arguments: [
      { syntax: "<policy>", summary: "the policy.yaml" },
      { syntax: "<job>", summary: "the job.yaml" },
    ],
    options: [
      { flags: "--requester <account>", summary: "who asks, for policies that choose", parse: address },
      variableOption,
    ],
    examples: ["ichain policy test policy.yaml job.yaml"],
    load: () => import("../policy/test.ts"),
  },
];
