import { z } from "zod";
import { MOST_MEASURED, poolBlockSchema } from "../../gossip/job-pool.ts";
import { ownDataName } from "../../machine/own-data.ts";
import { pathProblem } from "../../parcel/paths.ts";
import { durationSchema } from "../../quantity.ts";
import { taskFields } from "../../task/spec.ts";
import { tokenRefSchema } from "../../token.ts";
import { federatedSchema, knownSettings } from "../job-file.ts";
import { whyMeaningless } from "../privacy/rule.ts";
import { strategyOf } from "../strategies.ts";
import type { Strategy } from "../strategy.ts";
import { ROUND_FILES } from "./spec.ts";

const path = z.string().min(1).max(1024);
const rows = z.strictObject({
  file: z.union([path, z.array(path).min(1).max(64)]).describe("A file of numpy arrays (.npz), or several"),
  rows: z.string().min(1).max(64).default("x").describe("Name of the array of rows in the file"),
  labels: z.string().min(1).max(64).default("y").describe("Name of the array of labels"),
});

/** What seats tell each other of a round has to fit one part of a feed. */
const MOST_BEFORE_SEATS = 48;
/** The same where each update names the parcel of its residuals too. */
const MOST_WITH_RESIDUALS = 40;

const coin = z.number().min(0).max(1e9);

const windows = z
  .strictObject({
    enlist: durationSchema.prefault("10m").describe("For providers to enlist"),
    round: durationSchema
      .optional()
      .describe("For each round; when absent, three runs of the task and ten minutes"),
    dispute: durationSchema.prefault("10m").describe("To challenge the last round; pay is due after it"),
  })
  .prefault({})
  .describe("Times of the steps, each at least five minutes");

const validators = z
  .preprocess(
    (value) => (typeof value === "number" ? { count: value } : value),
    z.strictObject({
      count: z.number().int().min(0).max(7).default(0),
      fee: coin.default(0).describe("Coin that each is paid for a round"),
      deposit: coin.default(0).describe("Coin that each puts at risk"),
    }),
  )
  .prefault(0)
  .describe(
    "Validators that are drawn from the pool to aggregate, measure and close the rounds: how many, or an object with " +
      "`count`, `fee` and `deposit`. 0: you do it yourself",
  );

const block = federatedSchema
  .extend({
    token: tokenRefSchema
      .optional()
      .describe(
        "Pays the job in a token instead of the coin: its name in the network file, or its address; `pool` is then an amount of it",
      ),
    model: path.describe("The model that round 1 begins with, a safetensors file of F32 tensors"),
    data: federatedSchema.shape.data
      .unwrap()
      .extend({
        own: ownDataName
          .optional()
          .describe(
            "Providers train on data of their own: those whose policy lists a folder of this name. It is /in/data of the task",
          ),
      })
      .prefault({})
      .describe("How the rows are dealt to the providers, or which of their own they train on"),
    train: rows.optional().describe("Rows that are dealt to the providers; absent where they have their own"),
    test: rows.describe("Rows that measure; they stay with you"),
    root: rows
      .optional()
      .describe("Rows of your own, for strategies that compare with a change made of them"),
    public: rows
      .optional()
      .describe(
        "Rows for distillation, which every provider gets without their labels: what its model says of them is its update",
      ),
    least: z.number().int().min(1).max(64).optional().describe("Providers to begin with; all when absent"),
    validators: validators,
    quorum: z
      .number()
      .min(0.01)
      .max(1)
      .default(0.7)
      .describe(
        "Share of the providers after whose updates the others have as long again as those took, and ten seconds at least",
      ),
    share: z
      .enum([...federatedSchema.shape.share.unwrap().options, "left-out"])
      .default("gated")
      .describe(
        "What pays an update that is taken: `gated`, the accuracy of the model with it; `left-out`, by how much the round's model would be worse without it, smoothed over rounds, which takes one more measuring run for each. `accuracy` pays ungated, by HKU's letter",
      ),
    silent: z
      .enum(["wait", "redeal"])
      .default("wait")
      .describe(
        "What becomes of a provider whose updates are missing two rounds running: it stays in, or (`redeal`) it is left out from then on and the others have its rows",
      ),
    keep: z
      .union([z.literal("all"), z.number().int().min(1).max(10_000)])
      .default("all")
      .describe("Rounds whose models stay on your disk, for `ichain get --round`: the last ones, or all"),
    sample: z.literal(1).default(1).describe("All providers take part in every round"),
    audit: z
      .union([z.literal("off"), z.number().int().min(0).max(64)])
      .default("off")
      .describe(
        "Updates that validators replay in each round by chance, beside those that the strategy suspects; a job that you " +
          "lead yourself has none",
      ),
    onCheat: federatedSchema.shape.onCheat.describe(
      "`refund` ends the job at a proven cheat: rounds that are not closed go back, the cheat is banned, and the others share its deposit. For two validators or more, with `audit`",
    ),
    gossip: poolBlockSchema.optional(),
    windows,
  })
  .describe("How the rounds go");

/** What of the block decides how a round's updates become a model and pay: seats are told it. */
export const jobRulesSchema = block.pick({
  ...{ model: true, train: true, test: true, root: true, data: true, quorum: true, audit: true, local: true },
  ...{ outer: true, update: true, strategy: true, settings: true, share: true, silent: true, keep: true },
  public: true,
});
export type JobRules = z.output<typeof jobRulesSchema>;

/** Names of the files that the rules need, as the job file gives them. */
export function filesOf({
  model,
  train,
  test,
  root,
}: Pick<JobRules, "model" | "train" | "test" | "root">): string[] {
  const sources = [train, test, root].filter((source) => source !== undefined);
  return [model, ...sources.flatMap((source) => source.file)];
}

/** The rules as a requester hands them to a validator: they name no file but those that lie beside each other in the kit. */
export const kitRulesSchema = jobRulesSchema.refine((rules) => filesOf(rules).every(isPlain), {
  message: "names a file that is not in the kit",
});

function isPlain(name: string): boolean {
  return pathProblem(name) === undefined;
}

/** A job.yaml with the block `federated`, as the requester writes it. */
export const federatedJobFileSchema = z
  .strictObject({
    ...taskFields,
    inputs: z
      .array(path.refine((text) => pathProblem(text) === undefined, "must be a plain relative path"))
      .min(1)
      .max(1000)
      .describe("Files and folders beside job.yaml; the task sees them under /in"),
    federated: block,
  })
  .superRefine(({ inputs, federated }, context) => {
    const add = (where: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path: where, message });
    const taken = inputs.findIndex((input) => ROUND_FILES.some((name) => input.split("/")[0] === name));
    if (taken >= 0) add(["inputs", taken], "this name is a round's own in /in");
    const strategy = strategyOf(federated.strategy);
    for (const [name, why] of federated.gossip ? whyNoPool(federated) : whyNotOwn(federated, strategy))
      add(["federated", ...name], why);
    if (federated.data.own !== undefined && inputs.some((input) => input.split("/")[0] === "data"))
      add(["inputs"], "`data` is the providers' own in /in");
    if (strategy?.labels && federated.public === undefined)
      add(["federated", "public"], "the strategy needs public rows");
    if (!strategy?.labels && federated.public !== undefined)
      add(["federated", "public"], "is for distillation alone");
    if (strategy?.labels && federated.share === "left-out")
      add(["federated", "share"], "distillation makes one model a round");
    if (strategy?.labels && federated.data.own !== undefined)
      add(["federated", "data", "own"], "distillation does not know providers' own data yet");
    if (!federated.gossip && strategy?.needs.includes("root") && federated.root === undefined)
      add(["federated", "root"], "the strategy needs rows of your own");
    if (!knownSettings(federated.strategy, federated.settings))
      add(["federated", "settings"], "the strategy has no setting of that name");
    const { validators: seats, audit } = federated;
    if (audit !== "off" && seats.count === 0)
      add(["federated", "audit"], "needs `validators`: a job that you lead yourself has no replays");
    if (federated.onCheat === "refund" && (seats.count < 2 || audit === "off"))
      add(
        ["federated", "onCheat"],
        "needs two `validators` or more, and `audit`: they prove a cheat together",
      );
    const most = federated.update === "int8" ? MOST_BEFORE_SEATS : MOST_WITH_RESIDUALS;
    if (seats.count > 0 && federated.providers > most)
      add(["federated", "providers"], `is ${most} at most in a job that validators lead`);
    if (seats.count > 0 && !filesOf(federated).every(isPlain))
      add(
        ["federated"],
        "names a file that is not below the folder of job.yaml: validators get a copy of each",
      );
    if (seats.count > 0 && strategy?.labels)
      add(["federated", "strategy"], "is for jobs that you lead yourself: no seat can replay it yet");
    if (seats.count > 0 && federated.share === "left-out")
      add(["federated", "share"], "is for jobs that you lead yourself");
    if (audit !== "off" && federated.data.own !== undefined)
      add(
        ["federated", "audit"],
        "needs rows that you deal: of providers' own data no training can be replayed",
      );
    if (seats.count > 0 && federated.silent === "redeal")
      add(["federated", "silent"], "is for jobs that you lead yourself: validators deal no rows");
    if (audit !== "off" && (federated.privacy?.noise ?? 0) > 0)
      add(
        ["federated", "audit"],
        "is for updates without noise: others cannot be replayed by a validator yet",
      );
    if ((federated.least ?? 0) > federated.providers) add(["federated", "least"], "is more than `providers`");
    const { privacy } = federated;
    const why = privacy === undefined ? undefined : whyMeaningless(privacy, federated);
    if (why !== undefined) add(["federated", "privacy"], why);
    for (const [name, seconds] of Object.entries(federated.windows))
      if (seconds !== undefined && seconds < 300)
        add(["federated", "windows", name], "is five minutes at least");
  });
export type FederatedJobFile = z.output<typeof federatedJobFileSchema>;

/** What does not go with a pool for a gossip network's peers. */
function* whyNoPool({
  gossip,
  windows: times,
  ...rest
}: z.output<typeof block>): Generator<[path: string[], why: string]> {
  const { span, past, period } = gossip!;
  const seats = rest.validators.count;
  if (seats === 0)
    yield [
      ["validators"],
      "a pool is settled by validators: 1 or more; `ichain gossip pool` makes one that you lead",
    ];
  if (rest.rounds !== 1) yield [["rounds"], "is 1 in a pool"];
  for (const name of ["train", "root", "public", "privacy", "outer"] as const)
    if (rest[name] !== undefined) yield [[name], "is for jobs that train: leave it out of a pool"];
  if (rest.data.own !== undefined) yield [["data", "own"], "is for jobs that train: leave it out of a pool"];
  if (rest.strategy !== "gate") yield [["strategy"], "is for jobs that train: leave it out of a pool"];
  if (rest.share !== "gated") yield [["share"], "a pool is shared by what training added: leave it out"];
  if (rest.audit !== "off") yield [["audit"], "a pool has no trainings to replay"];
  if (typeof rest.pool !== "number") yield [["pool"], "a rule needs rows to deal; write an amount"];
  const measured = Math.ceil((past + times.enlist + period) / span) * (rest.providers + 1);
  if (measured > MOST_MEASURED)
    yield [
      ["gossip", "span"],
      `would have ${measured} models measured, more than ${MOST_MEASURED}: make it longer`,
    ];
}

/** What does not go with where the rows are: with the requester, or with each provider. */
function* whyNotOwn(
  { data, train, pool, silent }: z.output<typeof block>,
  strategy: Strategy | undefined,
): Generator<[path: string[], why: string]> {
  if (data.own === undefined) {
    if (train === undefined)
      yield [["train"], "rows to deal are missing; or name the providers' own: data.own"];
    return;
  }
  if (train !== undefined) yield [["train"], "providers train on data of their own: leave it out"];
  if (strategy?.needs.includes("gains"))
    yield [
      ["strategy"],
      `${strategy.name} measures updates on the rows of their providers, which are not here; take root-cosine`,
    ];
  if (typeof pool !== "number") yield [["pool"], "a rule needs the rows; write an amount"];
  if (silent === "redeal") yield [["silent"], "there are no rows to deal"];
}
