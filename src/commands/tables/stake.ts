import type { CommandDeclaration } from "../framework/declaration.ts";
import { address, coins, jobId, variableOption } from "../framework/parse.ts";

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
    examples: ["ichain stake deposit 0.5"],
    load: () => import("../stake/deposit.ts"),
  },
  {
    name: "stake withdraw",
    group: "Do work",
    summary: "take free stake out of service; a cooldown begins",
    arguments: [{ syntax: "<coin>", summary: "how much", parse: coins }],
    examples: ["ichain stake withdraw 0.5"],
    load: () => import("../stake/withdraw.ts"),
  },
  {
    name: "stake collect",
    group: "Do work",
    summary: "pay out the withdrawn stake, once its cooldown is over",
    examples: ["ichain stake collect"],
    load: () => import("../stake/collect.ts"),
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
