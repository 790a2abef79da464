import { replayModels } from "../../protocol/campaign/improvement/replay-models.ts";
import type { CommandDeclaration } from "../framework/declaration.ts";
import { coins, integer, jobId, timespan } from "../framework/parse.ts";

const campaign = { syntax: "<id>", summary: "the campaign's id, or its first digits", parse: jobId };
const yes = { flags: "-y, --yes", summary: "do not ask before the money is locked" };

/** Commands about improvement markets, which pay by what entries of a data campaign improved. */
export const improveCommands: readonly CommandDeclaration[] = [
  {
    name: "improve open",
    group: "Collect data",
    summary:
      "offer a bounty for what entries of your campaign improve a model by, measured on its hidden test set",
    arguments: [
      campaign,
      { syntax: "<bounty>", summary: "played for, in the campaign's token", parse: coins },
    ],
    options: [
      { flags: "--stake <amount>", summary: "least stake on an entry", parse: coins, default: 10n ** 15n },
      { flags: "--fee <amount>", summary: "of each of the panel's three", parse: coins, default: 10n ** 15n },
      { flags: "--step <time>", summary: "to draw, commit and reveal, each", parse: timespan, default: 7200 },
      {
        flags: "--show <time>",
        summary: "to show the test set, after all fixes are decided",
        parse: timespan,
        default: 86_400,
      },
      {
        flags: "--model <name>",
        summary: "what learns the entries",
        choices: replayModels,
        default: "bayes",
      },
      { flags: "--words <n>", summary: "numbers that words get", parse: integer(256, 65_536), default: 4096 },
      { flags: "--dry-run", summary: "say what would be locked, and do nothing" },
      yes,
    ],
    examples: [
      "ichain improve open 3fa9c01b 0.5 --dry-run",
      "ichain improve open 3fa9c01b 0.5 --model centroid",
    ],
    load: () => import("../improve/open.ts"),
  },
  {
    name: "improve list",
    group: "Collect data",
    summary: "list the improvement markets that hold money",
    options: [{ flags: "--all", summary: "those that are over too" }],
    examples: ["ichain improve list"],
    load: () => import("../improve/list.ts"),
  },
  {
    name: "improve show",
    group: "Collect data",
    summary: "show a campaign's improvement market: stakes, the panel's roots, and what was credited",
    arguments: [campaign],
    options: [{ flags: "-f, --follow", summary: "again at every change, until it holds no money any more" }],
    examples: ["ichain improve show 3fa9c01b", "ichain improve show 3fa9c01b --follow"],
    load: () => import("../improve/show.ts"),
  },
  {
    name: "improve stake",
    group: "Collect data",
    summary: "stake on an entry of yours, as much as you think it worth; once the first slice is shown",
    arguments: [
      campaign,
      { syntax: "<entry>", summary: "its number", parse: integer(0, 4_294_967_294) },
      { syntax: "<amount>", summary: "in the campaign's token", parse: coins },
    ],
    options: [yes],
    examples: ["ichain improve stake 3fa9c01b 0 0.01"],
    load: () => import("../improve/stake.ts"),
  },
  {
    name: "improve vote",
    group: "Collect data",
    summary:
      "replay a market and vote for what it comes to, as a member of its panel; `ichain validate` does it",
    arguments: [campaign],
    options: [{ flags: "--dry-run", summary: "say what it comes to, and vote for nothing" }],
    examples: ["ichain improve vote 3fa9c01b --dry-run", "ichain improve vote 3fa9c01b"],
    load: () => import("../improve/vote.ts"),
  },
  {
    name: "improve take",
    group: "Collect data",
    summary: "move a market on, and credit everybody with what it comes to; anyone may",
    arguments: [campaign],
    examples: ["ichain improve take 3fa9c01b"],
    load: () => import("../improve/take.ts"),
  },
];
