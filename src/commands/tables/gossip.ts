import { describeAveragingRules } from "../../protocol/gossip/rules.ts";
import type { CommandDeclaration } from "../framework/declaration.ts";
import { bytes32, coins, date, integer, timespan } from "../framework/parse.ts";

const peerFile = { syntax: "<file>", summary: "the gossip.yaml (docs/gossip.md)" };
const chain = { syntax: "<chain>", summary: "a peer's store, or a file that `gossip export` wrote" };

/** Commands of gossip training: no server, no global chain, proof of who contributed. */
export const gossipCommands: readonly CommandDeclaration[] = [
  {
    name: "gossip simulate",
    group: "Try it",
    summary: "play a network of gossip peers in this process, with bad ones, without network",
    arguments: [{ syntax: "<file>", summary: "the sim.yaml (docs/gossip.md)" }],
    options: [
      { flags: "--seed <text>", summary: "instead of the file's; the same seed, the same numbers" },
      {
        flags: "--rule <name>",
        summary: `how models are averaged, instead of the file's: ${describeAveragingRules()}; or the path of a module`,
      },
      { flags: "--plot <file>", summary: "write the curves of the accuracy there, as SVG" },
      {
        flags: "--chains <folder>",
        summary: "sign all records, and keep each peer's store there, for verify, show and export; slower",
      },
      { flags: "--models", summary: "with `--chains`, keep all models there too, for settle" },
    ],
    examples: [
      "ichain gossip simulate examples/gossip/sim.yaml",
      "ichain gossip simulate sim.yaml --rule ./my-rule.js --seed 2 --json",
    ],
    load: () => import("../gossip/simulation/simulate.ts"),
  },
  {
    name: "gossip run",
    group: "Try it",
    summary:
      "take part in a network as a peer: train, exchange models, keep a chain; Ctrl-C or `stop` ends it",
    arguments: [peerFile],
    examples: ["ichain gossip run gossip.yaml", "ichain gossip run gossip.yaml --json"],
    load: () => import("../gossip/peer/run.ts"),
  },
  {
    name: "gossip address",
    group: "Try it",
    summary: "print the address of this home's peer in a network, for those that are to be its neighbours",
    arguments: [peerFile],
    examples: ["ichain gossip address gossip.yaml"],
    load: () => import("../gossip/peer/address.ts"),
  },
  {
    name: "gossip verify",
    group: "Try it",
    summary: "check a gossip peer's chain offline: every signature, every place, enough confirmations",
    arguments: [chain],
    options: [
      { flags: "--tip <hash>", summary: "what the chain must end with, as you were told it", parse: bytes32 },
    ],
    examples: ["ichain gossip verify peer-0.db", "ichain gossip verify peer-0.chain --json"],
    load: () => import("../gossip/verify.ts"),
  },
  {
    name: "gossip show",
    group: "Try it",
    summary: "show gossip peers' blocks and who confirmed whom; their chains are checked first",
    arguments: [{ syntax: "<chains...>", summary: "stores of peers, or files that `gossip export` wrote" }],
    options: [{ flags: "--svg <file>", summary: "draw who confirmed whom there, as SVG" }],
    examples: ["ichain gossip show peer-0.db", "ichain gossip show chains/*.db --svg network.svg"],
    load: () => import("../gossip/show.ts"),
  },
  {
    name: "gossip export",
    group: "Try it",
    summary: "write a gossip peer's chain into a file, for others to verify",
    arguments: [
      { syntax: "<store>", summary: "the peer's store" },
      { syntax: "<file>", summary: "where the chain goes, as JSON lines" },
    ],
    examples: ["ichain gossip export peer-0.db peer-0.chain"],
    load: () => import("../gossip/export.ts"),
  },
  {
    name: "gossip settle",
    group: "Try it",
    summary: "share a pool among gossip peers by what their training gave; chains are checked first",
    arguments: [
      { syntax: "<evidence>", summary: "folder with the peers' chains, and their models in models/" },
    ],
    options: [
      {
        flags: "--span <time>",
        summary: "cut time into spans this long; each peer should train some ten times in one",
        parse: timespan,
        default: 600,
      },
      {
        flags: "--exam <folder>",
        summary: "where the models to be measured go, and where measured.json is expected",
        default: "exam",
      },
      { flags: "--pool <coin>", summary: "what is shared", parse: coins },
      {
        flags: "--ticket <file>",
        summary: "of a pool on the chain, which is begun, closed or paid, whichever is due",
      },
      { flags: "--from <time>", summary: "models seen from then on", parse: date },
      { flags: "--until <time>", summary: "models seen before then", parse: date },
    ],
    examples: [
      "ichain gossip settle chains --span 10m",
      "ichain gossip settle chains --span 10m --pool 1 --json",
      "ichain gossip settle chains --ticket pool.json",
    ],
    load: () => import("../gossip/settle/settle.ts"),
  },
  {
    name: "gossip pool",
    group: "Try it",
    summary: "lock a pool for gossip peers on the chain, which settle shares among those that enlist",
    arguments: [
      { ...chain, summary: `of any peer of the network: ${chain.summary}` },
      { syntax: "<ticket>", summary: "file that peers will enlist with" },
      { syntax: "<peers...>", summary: "accounts of the peers that may" },
    ],
    options: [
      { flags: "--pool <coin>", summary: "what is shared", parse: coins, required: true },
      {
        flags: "--deposit <coin>",
        summary: "of each peer's stake, locked until it is paid",
        parse: coins,
        default: 10n ** 16n,
      },
      { flags: "--span <time>", summary: "as of settle", parse: timespan, default: 600 },
      { flags: "--least <n>", summary: "peers to begin with; all when absent", parse: integer(1, 255) },
      { flags: "--enlist <time>", summary: "for peers to enlist", parse: timespan, default: 3600 },
      {
        flags: "--period <time>",
        summary: "from then on until it must be settled, at most 190d",
        parse: timespan,
        default: 7 * 86_400,
      },
      { flags: "--dispute <time>", summary: "from the closing to the pay", parse: timespan, default: 3600 },
    ],
    examples: ["ichain gossip pool peer-0.db pool.json 0x52b1…9c0a 0x0d9f…77e1 --pool 1 --period 30d"],
    load: () => import("../gossip/settle/pool.ts"),
  },
  {
    name: "gossip enlist",
    group: "Try it",
    summary: "enlist this account in a pool for gossip peers, with the pool's deposit",
    arguments: [{ syntax: "<ticket>", summary: "the pool's, from its requester" }],
    examples: ["ichain gossip enlist pool.json"],
    load: () => import("../gossip/settle/enlist.ts"),
  },
];
