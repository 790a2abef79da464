import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { IchainError } from "../../../errors/error.ts";
import { NaiveBayes } from "../../../protocol/campaign/models/bayes.ts";
import { NearestCentroid } from "../../../protocol/campaign/models/centroid.ts";
import { type ChainModel, type Label, wordsOf } from "../../../protocol/campaign/models/chain-model.ts";
import { SparsePerceptron } from "../../../protocol/campaign/models/perceptron.ts";
import type { Scenario } from "../../../protocol/campaign/scenario.ts";
import { Random } from "../../federated/data/random.ts";

const MAX_BYTES = 64 << 20;
const MAX_WORDS = 65_536;
/** Of a generated row, and how much likelier a word is in its own class. */
const [GENERATED_WORDS, GENERATED_LEAN] = [12, 0.65];
/** Of a perceptron that learns from nothing. */
const RATE = 0.5;

/** A row and its true label. */
export interface TrueRow {
  readonly words: readonly number[];
  readonly truth: Label;
}

export interface ScenarioData {
  /** In random order; agents add them from the front. */
  readonly open: readonly TrueRow[];
  readonly hidden: readonly TrueRow[];
  /** The model as it is before the first row. */
  startModel(): ChainModel;
}

/**
 * Loads the rows that a scenario names, relative to `folder`, or generates them.
 * @throws DATA_UNREADABLE, DATA_INVALID
 */
export async function loadScenarioData({ simulation }: Scenario, folder: string): Promise<ScenarioData> {
  const { seed, hidden, start, model, data } = simulation;
  const random = new Random(`campaign rows ${seed}`);
  const { rows, size, weights } =
    "generated" in data ? generate(data.generated, random) : await loadTexts(data, folder);
  const order = random.shuffle(rows.map((_, i) => i)).map((i) => rows[i]!);
  const needed = hidden + start + neededBy(simulation);
  if (order.length < needed)
    refuse(`there are ${order.length} rows with known words, and ${needed} are needed`);
  const known = order.slice(hidden, hidden + start);
  const startModel = (): ChainModel => {
    const fresh = freshModel(model, size, weights);
    for (const { words, truth } of known) fresh.update(words, truth);
    return fresh;
  };
  return { hidden: order.slice(0, hidden), open: order.slice(hidden + start), startModel };
}

function neededBy({ days, agents }: Scenario["simulation"]): number {
  return Object.values(agents).reduce((sum, { rows }) => sum + days * rows, 0);
}

interface Weights {
  readonly weights: readonly number[];
  readonly intercept: number;
  readonly learningRate: number;
}

interface Loaded {
  readonly rows: TrueRow[];
  readonly size: number;
  readonly weights?: Weights;
}

function freshModel(kind: Scenario["simulation"]["model"], size: number, weights?: Weights): ChainModel {
  if (kind === "centroid") return new NearestCentroid(size);
  if (kind === "bayes") return new NaiveBayes(size);
  if (weights === undefined) return SparsePerceptron.of(Array<number>(size).fill(0), 0, RATE);
  return SparsePerceptron.of(weights.weights, weights.intercept, weights.learningRate);
}

function generate({ rows, words }: { rows: number; words: number }, random: Random): Loaded {
  const made = Array.from({ length: rows }, (): TrueRow => {
    const truth: Label = random.below(2) === 0 ? 0 : 1;
    const found = new Set<number>();
    for (let i = 0; i < GENERATED_WORDS; i++) {
      const word = random.below(words);
      // The lower half of the vocabulary leans to class 0.
      const own = Number(word >= words / 2) === truth;
      if (random.uniform() < (own ? GENERATED_LEAN : 1 - GENERATED_LEAN)) found.add(word);
    }
    return { words: [...found].toSorted((a, b) => a - b), truth };
  });
  return { rows: made.filter(({ words: found }) => found.length > 0), size: words };
}

const vocabularySchema = z
  .record(
    z.string().max(256),
    z
      .number()
      .int()
      .min(0)
      .max(MAX_WORDS - 1),
  )
  .refine((words) => Object.keys(words).length > 0, "has no words");
const weightsSchema = z.object({
  type: z.literal("sparse perceptron"),
  weights: z.array(z.number().min(-1e6).max(1e6)).min(1).max(MAX_WORDS),
  intercept: z.number().min(-1e6).max(1e6),
  learningRate: z.number().positive().max(1e6),
});

async function loadTexts(
  names: { negative: string; positive: string; vocabulary: string; model?: string | undefined },
  folder: string,
): Promise<Loaded> {
  const read = (name: string) => readText(resolve(folder, name));
  const words = parseJson(await read(names.vocabulary), names.vocabulary, vocabularySchema);
  const vocabulary = new Map(Object.entries(words));
  const size = 1 + Math.max(...vocabulary.values());
  const texts = await Promise.all([read(names.negative), read(names.positive)]);
  const rows = texts.flatMap((text, label) =>
    text
      .split("\n")
      .map((line): TrueRow => ({ words: wordsOf(line, vocabulary), truth: label as Label }))
      .filter((row) => row.words.length > 0),
  );
  if (names.model === undefined) return { rows, size };
  const weights = parseJson(await read(names.model), names.model, weightsSchema);
  if (weights.weights.length < size) refuse(`${names.model} has fewer weights than the vocabulary has words`);
  return { rows, size: weights.weights.length, weights };
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_BYTES) refuse(`${path} is larger than 64 MiB`);
    return await readFile(path, "latin1");
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("DATA_UNREADABLE", `The data file ${path} cannot be read.`, { cause });
  }
}

function parseJson<Output>(text: string, name: string, schema: z.ZodType<Output>): Output {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse(`${name} is no JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) refuse(`${name}: ${parsed.error.issues[0]!.message}`);
  return parsed.data;
}

function refuse(why: string): never {
  throw new IchainError("DATA_INVALID", `The data cannot be used: ${why}.`);
}
