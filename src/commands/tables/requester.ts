import { templates } from "../../config/choices.ts";
import type { CommandDeclaration, OptionDeclaration } from "../framework/declaration.ts";
import {
  address,
  assignment,
  coins,
  decimal,
  integer,
  jobId,
  smallestUnits,
  timespan,
  variableOption,
} from "../framework/parse.ts";
import { serviceOptions } from "./daemon.ts";

const job = { syntax: "<id>", summary: "the job's id, or its first digits", parse: jobId };
const jobOrCampaign = { ...job, summary: "the id of a job or data campaign, or its first digits" };

/** Who does and validates a job. */
export const partyOptions: readonly OptionDeclaration[] = [
  { flags: "--provider <account>", summary: 'an account, or "best"; asked for when absent' },
  { flags: "--validator <account...>", summary: 'accounts, or "best": by chance among the good' },
];

/** What its owner is asked, and how often providers are. */
export const askOptions: readonly OptionDeclaration[] = [
  { flags: "-y, --yes", summary: "do not ask before the money is locked" },
  {
    flags: "--most <amount>",
    summary: "refuse a job that would lock more: in its token's smallest unit, as `quote --json` says it",
    parse: smallestUnits,
  },
  {
    flags: "--tries <n>",
    summary: "how many providers to ask, the best first, while they decline or do not answer in time",
    default: 3,
    parse: integer(1, 20),
  },
  {
    flags: "--failover <n>",
    summary: "how often to post the job again, for no more, when its provider gives it back or is lost",
    parse: integer(0, 20),
  },
  {
    flags: "--within <time>",
    summary: "with --failover: from now until the run of a job that is posted again must end, such as 6h",
    parse: timespan,
  },
];

const scriptOptions: readonly OptionDeclaration[] = [
  { flags: "--image <name>", summary: "of a script: its runtime image; python-ml when absent" },
  { flags: "--gpu <n>", summary: "of a script: GPUs", parse: integer(0, 16) },
  {
    flags: "--env <name=value>",
    summary: "of a script: a variable of its environment, which its provider can read; again for more",
    parse: assignment,
    repeats: true,
  },
  { flags: "--metric <name>", summary: "of a script: the metric that it prints; asked for when absent" },
  {
    flags: "--threshold <number>",
    summary: "of a script: the metric that its result must reach; asked for when absent",
    parse: decimal(-9e9, 9e9),
  },
  { flags: "--goal <goal>", summary: "of a script: which metric is better", choices: ["max", "min"] },
  {
    flags: "--mode <mode>",
    summary: "of a script: evaluate when it tells 0 from 1, else replicate, unless given",
    choices: ["evaluate", "replicate", "digest"],
  },
  {
    flags: "--input <path>",
    summary: "of a script: a file or folder beside it; again for more",
    repeats: true,
  },
  { flags: "--output <path>", summary: "of a script: what to keep of /out; all when absent", repeats: true },
  { flags: "--time <time>", summary: "of a script: how long one run may take, such as 45s, 10m, 2h" },
  { flags: "--memory <bytes>", summary: "of a script: such as 4 GiB" },
  { flags: "--save <name>", summary: "of a script: keep its job.yaml beside it, under this name" },
];

/** Commands of who asks for work. */
export const requesterCommands: readonly CommandDeclaration[] = [
  {
    name: "quote",
    group: "Ask for work",
    summary: "say what a job would cost: price, gas, time, and the worst of every ending",
    arguments: [{ syntax: "[file]", summary: "the job.yaml" }],
    options: [
      { flags: "--market", summary: "what providers ask for an hour, by tier and GPU, instead of one job" },
      { flags: "--provider <account>", summary: "an account; the best that fits when absent" },
      { flags: "--validator <account...>", summary: "accounts; by chance among the good when absent" },
      variableOption,
    ],
    examples: ["ichain quote job.yaml", "ichain quote job.yaml -V epochs=20", "ichain quote --market"],
    load: () => import("../market/quote.ts"),
  },
  {
    name: "submit",
    group: "Ask for work",
    summary: "post a job: encrypt its bundle, choose who does it, lock the price",
    arguments: [{ syntax: "<files...>", summary: "the job.yaml, or several" }],
    options: [
      ...partyOptions,
      { flags: "--explain", summary: "rank the providers, say why the others cannot, and do nothing" },
      { flags: "--dry-run", summary: "say what would be posted and locked, and do nothing" },
      { flags: "--wait", summary: "stay until the result is here and open it" },
      { flags: "--detach", summary: "only post: `ichain serve`, which must be running, does the rest" },
      { flags: "-o, --out <folder>", summary: "where the result goes with --wait" },
      ...askOptions,
      {
        flags: "--budget <amount>",
        summary: "of a matrix or several files: most that the jobs may lock together",
      },
      {
        flags: "--at-once <n>",
        summary: "of a matrix or several files: how many jobs to work on at once; 4 when absent",
        parse: integer(1, 32),
      },
      variableOption,
    ],
    examples: [
      "ichain submit sweep.yaml --wait --budget 0.5 -o results",
      "ichain submit small.yaml large.yaml --detach",
      "ichain submit examples/digits/job.yaml --wait -o result",
      "ichain submit examples/federated-digits/job.yaml -o model",
      "ichain submit job.yaml --provider best --validator best",
      "ichain submit job.yaml --dry-run",
      "ichain submit job.yaml --explain",
      "ichain submit job.yaml --detach --yes",
      "ichain submit job.yaml --wait --failover 2 --within 12h",
      "ichain submit job.yaml -V lr=0.01 -V epochs=20",
    ],
    load: () => import("../job/submit.ts"),
  },
  {
    name: "image digest",
    group: "Ask for work",
    summary: "say how a job names an image of a registry: by its digest",
    arguments: [{ syntax: "<name>", summary: "the image with the registry's host, and a tag if it has one" }],
    examples: ["ichain image digest docker.io/pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime"],
    load: () => import("../image/digest.ts"),
  },
  {
    name: "image push",
    group: "Ask for work",
    summary: "publish an image of this machine's Docker engine, and say how a job names it",
    arguments: [
      { syntax: "<image>", summary: "the image's name or id here" },
      { syntax: "<name>", summary: "its name in the registry, with the registry's host" },
    ],
    examples: ["ichain image push mine:latest ghcr.io/me/mine:1"],
    load: () => import("../image/push.ts"),
  },
  {
    name: "new",
    group: "Ask for work",
    summary: "write the folder of a job that runs at once",
    arguments: [
      {
        syntax: "[template]",
        summary: "what kind of job; asked for when absent",
        choices: Object.keys(templates),
      },
      { syntax: "[folder]", summary: "must not exist; named after the template when absent" },
    ],
    examples: ["ichain new sklearn", "ichain new finetune my-model"],
    load: () => import("../run/new.ts"),
  },
  {
    name: "run",
    group: "Ask for work",
    summary: "run a job or a script to its opened result; with --local here, before any money moves",
    arguments: [
      { syntax: "<file>", summary: "a job.yaml, or a script (.py, .sh) to make a job of" },
      { syntax: "[args...]", summary: "after --: arguments of the script" },
    ],
    options: [
      { flags: "--local", summary: "in this machine's sandbox, as a provider and a validator would" },
      ...scriptOptions,
      ...partyOptions,
      { flags: "--dry-run", summary: "say what would be posted and locked, and do nothing" },
      { flags: "-o, --out <folder>", summary: "where the result goes; must not exist" },
      ...askOptions,
      variableOption,
    ],
    examples: [
      "ichain run --local job.yaml",
      "ichain run train.py --metric acc --threshold 0.9",
      "ichain run train.py --gpu 1 --env SEED=7 --save job.yaml -- --epochs 20",
    ],
    load: () => import("../run/run.ts"),
  },
  {
    name: "serve",
    group: "Ask for work",
    summary: "act for this account's posted jobs: host, appoint, check, answer claims; until Ctrl-C",
    options: serviceOptions,
    examples: ["ichain serve", "ICHAIN_PASSWORD_FILE=pw.txt ichain serve --install-service"],
    load: () => import("../serve.ts"),
  },
  {
    name: "resume",
    group: "Ask for work",
    summary: "carry on what was begun: one job, or all that are unfinished",
    arguments: [{ ...job, syntax: "[id]" }],
    examples: ["ichain resume", "ichain resume 3fa9c01b"],
    load: () => import("../job/resume.ts"),
  },
  {
    name: "get",
    group: "Ask for work",
    summary: "open the result of a settled job, and say what it holds",
    arguments: [{ ...job, syntax: "[id]" }],
    options: [
      { flags: "--all", summary: "every result that was not opened yet, each in a folder of its own" },
      { flags: "-o, --out <folder>", summary: "where the result goes; must not exist, except with --all" },
      {
        flags: "--round <n>",
        summary: "of a federated job: the model that this round made",
        parse: integer(1, 10_000),
      },
      { flags: "--parcel", summary: "leave it encrypted, with its key beside it, to be opened by hand" },
    ],
    examples: [
      "ichain get 3fa9c01b -o model",
      "ichain get --all -o results",
      "ichain get 3fa9c01b --round 3 -o third",
    ],
    load: () => import("../job/get.ts"),
  },
  {
    name: "cancel",
    group: "Ask for work",
    summary: "take back a job that is not accepted yet",
    arguments: [job],
    examples: ["ichain cancel 3fa9c01b"],
    load: () => import("../job/cancel.ts"),
  },
  {
    name: "stop",
    group: "Ask for work",
    summary:
      "end the run of an accepted job, for the time used, or a federated job after its round. Without an id: end this home's daemons",
    arguments: [{ ...job, syntax: "[id]" }],
    examples: ["ichain stop 3fa9c01b", "ichain stop"],
    load: () => import("../job/stop.ts"),
  },
  {
    name: "challenge",
    group: "Ask for work",
    summary:
      "dispute a result that was claimed without validators, or a round of a federated job that validators closed, for a bond",
    arguments: [job],
    options: [
      {
        flags: "--round <n>",
        summary: "of a federated job: this round; the last closed one when absent",
        parse: integer(1, 10_000),
      },
    ],
    examples: ["ichain challenge 3fa9c01b", "ichain challenge 3fa9c01b --round 2"],
    load: () => import("../job/challenge.ts"),
  },
  {
    name: "rate",
    group: "Ask for work",
    summary: "score the other side of a job that is over",
    arguments: [job, { syntax: "<score>", summary: "1 (bad) to 5 (good)", parse: integer(1, 5) }],
    options: [
      { flags: "--validator <account>", summary: "score this validator, not the provider", parse: address },
    ],
    examples: ["ichain rate 3fa9c01b 5"],
    load: () => import("../job/rate.ts"),
  },
  {
    name: "providers",
    group: "Ask for work",
    summary: "list the offers on the market",
    options: [
      { flags: "--gpu", summary: "only machines with a GPU" },
      { flags: "--min-rating <score>", summary: "least mean rating, 1 to 5", parse: decimal(1, 5) },
      { flags: "--max-price <coin>", summary: "highest price floor, coin an hour", parse: coins },
      {
        flags: "--tier <tier>",
        summary: "least isolation of a task from its host",
        choices: ["runc", "userns", "gvisor", "vm"],
      },
      {
        flags: "--sort <key>",
        summary: "order of the list",
        choices: ["rating", "price", "jobs", "stake"],
        default: "rating",
      },
    ],
    examples: ["ichain providers --gpu --min-rating 4", "ichain providers --max-price 0.05 --sort price"],
    load: () => import("../market/providers.ts"),
  },
  {
    name: "jobs",
    group: "Ask for work",
    summary: "list this account's jobs, in every role",
    options: [{ flags: "--all", summary: "final jobs too" }],
    examples: ["ichain jobs", "ichain jobs --all --json"],
    load: () => import("../job/reading/list.ts"),
  },
  {
    name: "job",
    group: "Ask for work",
    summary: "show one job: terms, state, measurements",
    arguments: [job],
    examples: ["ichain job 3fa9c01b"],
    load: () => import("../job/reading/show.ts"),
  },
  {
    name: "watch",
    group: "Ask for work",
    summary: "follow a job or a data campaign until it is final",
    arguments: [jobOrCampaign],
    examples: ["ichain watch 3fa9c01b"],
    load: () => import("../job/reading/watch.ts"),
  },
  {
    name: "logs",
    group: "Ask for work",
    summary: "print what a job's task printed; for its requester while it runs, too",
    arguments: [job],
    options: [{ flags: "-f, --follow", summary: "go on until the task ends" }],
    examples: ["ichain logs 3fa9c01b", "ichain logs 3fa9c01b --follow"],
    load: () => import("../job/reading/logs.ts"),
  },
  {
    name: "why",
    group: "Ask for work",
    summary: "explain where a job or a data campaign stands, who must act by when, and what happens then",
    arguments: [jobOrCampaign],
    examples: ["ichain why 3fa9c01b"],
    load: () => import("../job/reading/why.ts"),
  },
];
