import type { CommandDeclaration, OptionDeclaration } from "../framework/declaration.ts";
import {
  byteSize,
  contentSource,
  fixPlace,
  integer,
  jobId,
  rowPlace,
  smallestUnits,
} from "../framework/parse.ts";

const campaign = { syntax: "<id>", summary: "the campaign's id, or its first digits", parse: jobId };
const fix = { syntax: "<fix>", summary: "entry/row/fix, as `data show` says it", parse: fixPlace };
const yes: OptionDeclaration = { flags: "-y, --yes", summary: "do not ask before the money is locked" };
const via: OptionDeclaration = {
  flags: "--via <where>",
  summary:
    "for rows that are public by their CID: a trustless gateway (https://…) or a node's multiaddress (/ip4/…), before `campaigns.sources`; may be given again",
  parse: contentSource,
  repeats: true,
};
const dryRun: OptionDeclaration = {
  flags: "--dry-run",
  summary: "say what would be locked, and do nothing",
};

/** Commands about data campaigns. */
export const dataCommands: readonly CommandDeclaration[] = [
  {
    name: "data open",
    group: "Collect data",
    summary: "open a campaign: lock a price for each row that others shall add",
    arguments: [{ syntax: "<file>", summary: "the campaign.yaml (docs/campaigns.md)" }],
    options: [
      {
        flags: "--private",
        summary: "rows travel sealed, for this account and the readers that the file names",
      },
      dryRun,
      yes,
    ],
    examples: [
      "ichain data open campaign.yaml --dry-run",
      "ichain data open campaign.yaml",
      "ichain data open campaign.yaml --private",
    ],
    load: () => import("../data/open.ts"),
  },
  {
    name: "data key",
    group: "Collect data",
    summary: "print this account's key, by which a private campaign names it as a reader",
    examples: ["ichain data key"],
    load: () => import("../data/key.ts"),
  },
  {
    name: "data list",
    group: "Collect data",
    summary: "list the campaigns that take rows, and those that this account has a part in",
    options: [{ flags: "--all", summary: "those that are over too" }],
    examples: ["ichain data list"],
    load: () => import("../data/reading/list.ts"),
  },
  {
    name: "data show",
    group: "Collect data",
    summary: "show a campaign: every entry and fix, who must act by when, and whom it pays",
    arguments: [campaign],
    options: [
      { flags: "-f, --follow", summary: "again at every change, until it holds no money any more" },
      {
        flags: "--plot <file>",
        summary: "write rows, versions' scores and what accounts got over time there, as SVG",
      },
    ],
    examples: [
      "ichain data show 3fa9c01b",
      "ichain data show 3fa9c01b --follow",
      "ichain data show 3fa9c01b --plot curves.svg",
    ],
    load: () => import("../data/reading/show.ts"),
  },
  {
    name: "data get",
    group: "Collect data",
    summary: "fetch a campaign's rows, as fixes have left them, or a version of its model",
    arguments: [campaign],
    options: [
      { flags: "-o, --out <folder>", summary: "where they go; named after the campaign when absent" },
      { flags: "--accepted", summary: "only rows that can no longer be fixed" },
      {
        flags: "--entry <n>",
        summary: "only the rows of this entry",
        parse: integer(0, 4_294_967_295),
      },
      {
        flags: "--from <file>",
        summary:
          "with --entry: a file that has its rows (in a private campaign: the sealed parcel), in place of its author",
      },
      via,
      {
        flags: "--model <version>",
        summary: "the model of this version in place of the rows, as `data versions` numbers them",
        parse: integer(1, 4_294_967_295),
      },
      {
        flags: "--most <size>",
        summary: "with --model: refuse files of more than that together; 1GiB when absent",
        parse: byteSize,
      },
    ],
    examples: [
      "ichain data get 3fa9c01b --model 2 -o model",
      "ichain data get 3fa9c01b -o rows",
      "ichain data get 3fa9c01b --entry 0 --from rows.txt",
    ],
    load: () => import("../data/reading/get.ts"),
  },
  {
    name: "data add",
    group: "Collect data",
    summary: "add the lines of a file as rows, with a deposit for each",
    arguments: [campaign, { syntax: "[file]", summary: "text in UTF-8, a row a line; none with --cid" }],
    options: [
      {
        flags: "--cid <cid>",
        summary: "the rows of a public file by its content identifier, which others then fetch by it",
      },
      via,
      {
        flags: "--most <amount>",
        summary: "most for a row's deposit, in the token's smallest unit; as it is now when absent",
        parse: smallestUnits,
      },
      dryRun,
      yes,
    ],
    examples: [
      "ichain data add 3fa9c01b rows.txt --dry-run",
      "ichain data add 3fa9c01b rows.txt",
      "ichain data add 3fa9c01b --cid bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku --via https://ipfs.example",
    ],
    load: () => import("../data/add.ts"),
  },
  {
    name: "data fix",
    group: "Collect data",
    summary: "correct or remove another's row, with a bond: commits, then shows the fix in a later block",
    arguments: [campaign, { syntax: "<row>", summary: "entry/row, both from 0", parse: rowPlace }],
    options: [
      { flags: "--with <text>", summary: "the row as it should be" },
      { flags: "--remove", summary: "the row should not be there, such as a copy" },
      { flags: "--absent", summary: "the data has no such row: fewer were given than counted" },
      yes,
    ],
    examples: ['ichain data fix 3fa9c01b 0/4 --with "1\tgreat"', "ichain data fix 3fa9c01b 0/4 --remove"],
    load: () => import("../data/fix.ts"),
  },
  {
    name: "data judge",
    group: "Collect data",
    summary: "say whether a fix is right: as the campaign's owner, or in a panel that you were drawn for",
    arguments: [campaign, fix, { syntax: "<verdict>", summary: "of the fix", choices: ["right", "wrong"] }],
    options: [{ flags: "--panel", summary: "as a member of the panel" }],
    examples: ["ichain data judge 3fa9c01b 0/4/0 right", "ichain data judge 3fa9c01b 0/4/0 wrong --panel"],
    load: () => import("../data/judge.ts"),
  },
  {
    name: "data appeal",
    group: "Collect data",
    summary: "have a panel of validators judge a fix, for three fees; as its fixer or the row's author",
    arguments: [campaign, fix],
    options: [yes],
    examples: ["ichain data appeal 3fa9c01b 0/4/0"],
    load: () => import("../data/appeal.ts"),
  },
  {
    name: "data take",
    group: "Collect data",
    summary: "end the fixes that are decided or out of time, and pay whom they pay; anyone may",
    arguments: [campaign],
    examples: ["ichain data take 3fa9c01b"],
    load: () => import("../data/take.ts"),
  },
  {
    name: "data refund",
    group: "Collect data",
    summary: "pay the authors of rows that can no longer be fixed; anyone may",
    arguments: [campaign],
    examples: ["ichain data refund 3fa9c01b"],
    load: () => import("../data/refund.ts"),
  },
  {
    name: "data reveal",
    group: "Collect data",
    summary: "show a slice of the hidden test set, the drawn one first; as the campaign's owner",
    arguments: [campaign],
    options: [{ flags: "--slice <n>", summary: "this one; the next when absent", parse: integer(0, 31) }],
    examples: ["ichain data reveal 3fa9c01b"],
    load: () => import("../data/reveal.ts"),
  },
  {
    name: "data close",
    group: "Collect data",
    summary: "take no more rows, and take back what none has taken; anyone may after its time",
    arguments: [campaign],
    examples: ["ichain data close 3fa9c01b"],
    load: () => import("../data/close.ts"),
  },
];
