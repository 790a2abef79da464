import { engines } from "../../config/choices.ts";
import type { CommandDeclaration, OptionDeclaration } from "../framework/declaration.ts";
import { coins, integer } from "../framework/parse.ts";
import { serviceOptions } from "./daemon.ts";

const workOptions: readonly OptionDeclaration[] = [
  { flags: "--policy <file>", summary: "what to take on and at what price; careful defaults when absent" },
  {
    flags: "--stake <coin>",
    summary: "stake to hold at least, topped up when it is less",
    default: 10n ** 18n,
    parse: coins,
  },
  {
    flags: "--engine <engine>",
    summary: "where tasks run, instead of what the configuration says",
    choices: engines,
  },
  { flags: "--name <text>", summary: "a name to show beside the account" },
];

/** Commands of who does work: providers and validators. */
export const providerCommands: readonly CommandDeclaration[] = [
  {
    name: "provide",
    group: "Do work",
    summary: "take jobs, run them in the sandbox, return results; until Ctrl-C",
    options: [
      ...workOptions,
      { flags: "--validate", summary: "confirm others' results as well" },
      ...serviceOptions,
    ],
    examples: [
      "ichain provide --policy policy.yaml",
      "ichain provide --stake 2 --validate",
      "ichain provide --engine swarm",
      "ICHAIN_PASSWORD_FILE=pw.txt ichain provide --policy policy.yaml --install-service",
    ],
    load: () => import("../provide.ts"),
  },
  {
    name: "validate",
    group: "Do work",
    summary: "confirm others' results for a fee; until Ctrl-C",
    options: [...workOptions, ...serviceOptions],
    examples: ["ichain validate --stake 1"],
    load: () => import("../validate.ts"),
  },
  {
    name: "benchmark",
    group: "Do work",
    summary: "measure CPU, disk and GPU in the sandbox, for the offers of this home",
    options: [
      {
        flags: "--seed <n>",
        summary: "the numbers to compute with; drawn when absent",
        parse: integer(0, 4_294_967_295),
      },
    ],
    examples: ["ichain benchmark", "ichain benchmark --seed 7 --json"],
    load: () => import("../benchmark.ts"),
  },
  {
    name: "runtime list",
    group: "Do work",
    summary: "list the runtime images held here, and the recipes",
    examples: ["ichain runtime list"],
    load: () => import("../runtime/list.ts"),
  },
  {
    name: "runtime build",
    group: "Do work",
    summary: "build a runtime image from its recipe",
    arguments: [{ syntax: "<name>", summary: "the recipe's name; `runtime list` shows them" }],
    examples: ["ichain runtime build python-ml", "ichain runtime build python-torch"],
    load: () => import("../runtime/build.ts"),
  },
  {
    name: "runtime check",
    group: "Do work",
    summary: "say whether the runtime images are what their recipes make",
    arguments: [{ syntax: "[name]", summary: "one recipe; all when absent" }],
    options: [{ flags: "--rebuild", summary: "build it once more and compare the digests (a minute)" }],
    examples: ["ichain runtime check", "ichain runtime check python-ml --rebuild"],
    load: () => import("../runtime/check.ts"),
  },
];
