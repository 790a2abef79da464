import type { CommandDeclaration } from "../framework/declaration.ts";
import { coins, integer, timespan } from "../framework/parse.ts";

/** Commands about the chains that markets are on. */
export const networkCommands: readonly CommandDeclaration[] = [
  {
    name: "network list",
    group: "Set up",
    summary: "list the networks of this home",
    examples: ["ichain network list"],
    load: () => import("../network/list.ts"),
  },
  {
    name: "network add",
    group: "Set up",
    summary: "take a network from a file or an https address, once its contracts are verified",
    arguments: [{ syntax: "<source>", summary: "the network file, or its https:// address" }],
    options: [
      { flags: "--rpc <urls>", summary: "nodes to verify it by and to use, instead of the file's own" },
      { flags: "--replace", summary: "also when a network of this name is known" },
    ],
    examples: ["ichain network add market.yaml --rpc http://127.0.0.1:8545"],
    load: () => import("../network/add.ts"),
  },
  {
    name: "network deploy",
    group: "Set up",
    summary: "deploy the market's contracts to a chain with this wallet; again, go on or change nothing",
    options: [
      { flags: "--name <name>", summary: "what to call the network", required: true },
      { flags: "--rpc <url>", summary: "JSON-RPC address of a node of the chain", required: true },
      {
        flags: "--confirmations <n>",
        summary: "blocks before an event is acted on",
        default: 3,
        parse: integer(1, 1000),
      },
      { flags: "--pool-stake <coin>", summary: "stake of a drawn validator (1)", parse: coins },
      {
        flags: "--cooldown <time>",
        summary: "from asking for a stake back to getting it (7d)",
        parse: timespan,
      },
      { flags: "--data-fee <kind>", summary: "how the chain charges for data", choices: ["op-stack"] },
      {
        flags: "--folder <folder>",
        summary: "the deployment's record (deployments/NAME in the home folder)",
      },
    ],
    examples: ["ichain network deploy --name sepolia --rpc http://127.0.0.1:8545 --confirmations 3"],
    load: () => import("../network/deploy.ts"),
  },
];
