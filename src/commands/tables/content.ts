import { contentProfiles } from "../../ports/content.ts";
import type { CommandDeclaration, OptionDeclaration } from "../framework/declaration.ts";
import { byteSize, contentSource, integer, jobId, timespan, variableOption } from "../framework/parse.ts";
import { askOptions, partyOptions } from "./requester.ts";

const cid = { syntax: "<cid>", summary: "the file's content identifier, as `ichain data cid` prints it" };
const most: OptionDeclaration = {
  flags: "--most <size>",
  summary: "refuse a file of more than that; 1GiB when absent",
  parse: byteSize,
};

const campaign = { syntax: "<id>", summary: "the campaign's id, or its first digits", parse: jobId };

/** Commands of public data, which is named by its hash, and of the models that a campaign leads to. */
export const contentCommands: readonly CommandDeclaration[] = [
  {
    name: "data cid",
    group: "Collect data",
    summary: "compute a file's content identifier (CID), offline, the same as other IPFS implementations",
    arguments: [{ syntax: "<file>", summary: "the file" }],
    options: [
      {
        flags: "--profile <name>",
        summary: "how the file is cut: unixfs-v1-2025, or kubo-256k as `ipfs add --cid-version=1` before it",
        choices: Object.keys(contentProfiles),
        default: "unixfs-v1-2025",
      },
      { flags: "--keep", summary: "put its blocks into this home, for `data serve` and `data export`" },
    ],
    examples: ["ichain data cid reviews.txt", "ichain data cid reviews.txt --keep --json"],
    load: () => import("../data/content/cid.ts"),
  },
  {
    name: "data export",
    group: "Collect data",
    summary: "write a file that this home keeps into a CAR archive, which any IPFS implementation imports",
    arguments: [cid, { syntax: "<car>", summary: "where the archive goes" }],
    options: [most],
    examples: ["ichain data export bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku reviews.car"],
    load: () => import("../data/content/export.ts"),
  },
  {
    name: "data import",
    group: "Collect data",
    summary: "take a CAR archive into this home, each block checked against its hash",
    arguments: [{ syntax: "<car>", summary: "the archive, as `data export` or `ipfs dag export` writes it" }],
    options: [most],
    examples: ["ichain data import reviews.car"],
    load: () => import("../data/content/import.ts"),
  },
  {
    name: "data fetch",
    group: "Collect data",
    summary:
      "fetch a public file by its CID from gateways and nodes, each block checked; goes on where it stopped",
    arguments: [cid],
    options: [
      { flags: "-o, --out <file>", summary: "where the file goes", required: true },
      {
        flags: "--from <where>",
        summary:
          "a trustless gateway (https://…) or a node's multiaddress (/ip4/…); may be given again; none where all blocks are here",
        parse: contentSource,
        repeats: true,
      },
      most,
    ],
    examples: [
      "ichain data fetch bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku -o reviews.txt --from http://127.0.0.1:8089",
    ],
    load: () => import("../data/content/fetch.ts"),
  },
  {
    name: "data serve",
    group: "Collect data",
    summary: "serve the blocks of this home to everybody: a trustless gateway and an IPFS node; until Ctrl-C",
    options: [
      {
        flags: "--listen <address>",
        summary: "of the gateway, an IP address and a port; 0 for any that is free",
        default: "127.0.0.1:8089",
      },
      { flags: "--node <address>", summary: "of the node, likewise", default: "127.0.0.1:4001" },
    ],
    examples: ["ichain data serve", "ichain data serve --listen 0.0.0.0:8089 --node 0.0.0.0:4001"],
    load: () => import("../data/content/serve.ts"),
  },
  {
    name: "data train",
    group: "Collect data",
    summary: "post a job that trains on a campaign's accepted rows, with its hidden test set as the exam",
    arguments: [
      campaign,
      {
        syntax: "<job>",
        summary:
          "its job.yaml: rows.txt among the inputs, hidden.txt among the exam's; both are written beside it",
      },
    ],
    options: [
      ...partyOptions,
      ...askOptions,
      variableOption,
      {
        flags: "--without <entry>",
        summary: "leave out an entry's rows; may be given again",
        parse: integer(0, 4_294_967_295),
        repeats: true,
      },
      { flags: "--available", summary: "leave out the entries whose rows cannot be had now" },
      {
        flags: "--wait-rows <time>",
        summary: "ask authors that do not serve their rows again for so long, such as 2h",
        parse: timespan,
      },
    ],
    examples: [
      "ichain data train 3fa9c01b model/job.yaml",
      "ichain data train 3fa9c01b model/job.yaml --wait-rows 1h --available",
    ],
    load: () => import("../data/versions/train.ts"),
  },
  {
    name: "data versions",
    group: "Collect data",
    summary:
      "list a campaign's published versions, each checked against its job and the rows, and this home's own models",
    arguments: [campaign],
    examples: ["ichain data versions 3fa9c01b"],
    load: () => import("../data/versions/list.ts"),
  },
];
