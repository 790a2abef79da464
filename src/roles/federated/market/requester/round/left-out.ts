import { rm } from "node:fs/promises";
import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Decision } from "../../../../../protocol/federated/aggregate.ts";
import { writeModel } from "../../../../../protocol/federated/model-file.ts";
import type { Memory } from "../../../../../protocol/federated/strategy.ts";
import type { Address } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import type { FileAggregation, FileMember, RoundFiles } from "../../../aggregation/aggregate-files.ts";
import { readVector } from "../../../aggregation/vector-file.ts";
import type { TaskPlace } from "../../train.ts";
import type { RoundBasis } from "../draft.ts";
import type { LeadFiles } from "../files.ts";
import { measureModels } from "./measure.ts";
import { everyRow, type Rows, rowsFile } from "./rows.ts";

const HIDDEN = "hidden";
const NEXT = "next";
/** Of a hundred, what a round counts; the rest is what was before. */
const NOW = 40;
const MILLION = 1e6;

interface Place {
  readonly draft: RoundBasis;
  readonly files: LeadFiles;
  readonly tasks: TaskPlace;
  readonly aggregation: FileAggregation;
  readonly test: Rows;
}

/** What each account was worth so far, by account in lower case; in millionths of the loss's unit. */
type Contributions = ReadonlyMap<string, number>;

/** Where the strategies' own memory has no accounts. */
const keyOf = (account: Address) => `left-out ${account.toLowerCase()}`;

/**
 * By how much the round's model would have a higher loss on the hidden rows without each update that it was made of,
 * smoothed over the rounds. The models without one update are made and measured as the round's own is.
 */
export async function contributionsOf(
  context: WorkerContext,
  journal: JobJournal,
  { aggregation, files, draft, tasks, test }: Place,
  {
    round,
    decision,
    taken,
    made,
    memory,
  }: {
    readonly round: number;
    readonly decision: Decision<FileMember>;
    readonly taken: readonly number[];
    /** The round, whose next model is made. */
    readonly made: RoundFiles;
    readonly memory: Memory;
  },
  options: Abortable,
): Promise<{ readonly contributions: Contributions; readonly memory: Memory }> {
  const { parameters } = draft.spec.federated;
  const read = (path: string) => () =>
    writeModel({ layout: draft.layout, vector: readVector(path, parameters) });
  const models = new Map([[NEXT, read(made.next)]]);
  const others: string[] = [];
  for (const entry of taken) {
    const next = `${files.tried}-without-${entry}`;
    const nextStates = made.nextStates.map((_, i) => `${next}-${i}`);
    const rest = taken.filter((one) => one !== entry);
    await aggregation.makeNext(decision, rest, { ...made, next, nextStates });
    others.push(next, ...nextStates);
    models.set(`without-${entry}`, read(next));
  }
  const sets = new Map([[HIDDEN, rowsFile(test, everyRow(test))]]);
  const request = { name: `left-out-${round}`, models, sets };
  const measured = await measureModels(context, journal, tasks, request, options);
  for (const path of others) await rm(path, { force: true });
  const loss = (model: string) => measured[model]![HIDDEN]!.loss;
  const smoothed = decision.entries.map(({ account }, entry) => {
    const gain = taken.includes(entry) ? loss(`without-${entry}`) - loss(NEXT) : 0;
    return [account, smoothedGain(memory[keyOf(account)]?.[0], gain)] as const;
  });
  return {
    contributions: new Map(smoothed.map(([account, gain]) => [account.toLowerCase(), gain])),
    memory: Object.fromEntries(smoothed.map(([account, gain]) => [keyOf(account), [gain]])),
  };
}

/** Of what was (millionths) and what a round shows (in the loss's unit), in millionths. */
export function smoothedGain(before: number | undefined, gain: number): number {
  const now = Math.round(Math.max(-1e3, Math.min(1e3, gain)) * MILLION);
  return before === undefined ? now : Math.trunc(((100 - NOW) * before + NOW * now) / 100);
}
