import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob } from "../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../protocol/federated/market/messages.ts";
import { type FederatedSpec, updateLengthOf } from "../../../../protocol/federated/market/spec.ts";
import { type Model, writeExactModel } from "../../../../protocol/federated/model-file.ts";
import type { Vector } from "../../../../protocol/federated/vector.ts";
import type { WorkerContext } from "../../../context.ts";
import { readVector, writeVector } from "../../aggregation/vector-file.ts";
import type { Residuals } from "../../encode.ts";
import { aggregationBefore, carriedUpload, type SentBefore } from "../residual-proof.ts";

/** An update as it is hosted and announced: a step of the journal. */
export interface MadeUpdate {
  readonly blob: Blob;
  /** What it left unsaid, for who replays it: of top-k updates. */
  readonly residuals?: Blob;
  /** Whether it began with what the update before left unsaid. */
  readonly carried?: boolean;
  readonly message: UpdateMessage;
}

/** Paths of what is kept of a round. */
export function keptInputs(dir: string, round: number) {
  return { model: join(dir, `kept-${round}.exact`), update: join(dir, `kept-${round}.bin`) };
}

/** Keeps what a round was trained from and what came of it, of the last two rounds: what answers a strike. */
export async function keepInputs(
  dir: string,
  { round, model, update }: { readonly round: number; readonly model: Model; readonly update: Uint8Array },
): Promise<void> {
  const files = keptInputs(dir, round);
  await writeFile(files.model, writeExactModel(model));
  await writeFile(files.update, update);
  for (const path of Object.values(keptInputs(dir, round - 2))) await rm(path, { force: true });
}

/** How many rounds' residuals stay: those before and after the last two updates. */
const KEPT = 3;

/** Whether a message's ledger is of the chain's round before; residuals depend on what it counted. */
export function tellsRoundBefore(
  { market }: Pick<WorkerContext, "market">,
  { job, round }: { readonly job: FederatedJob; readonly round: number },
  ledger: readonly string[],
): boolean {
  const domain = market.ledgerDomainOf(job.id);
  return round === 1 || aggregationBefore({ job, round, domain }, ledger.at(-1)) !== undefined;
}

/**
 * The update of the round before and what it left unsaid, where the ledger counts it: what this round's update begins with.
 * Undefined where it does not, or where its files are gone.
 */
export async function sentBefore(
  { market, account }: Pick<WorkerContext, "market" | "account">,
  journal: JobJournal,
  {
    job,
    round,
    line,
    spec,
    dir,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly line: string | undefined;
    readonly spec: FederatedSpec;
    readonly dir: string;
  },
): Promise<SentBefore | undefined> {
  const told = aggregationBefore({ job, round, domain: market.ledgerDomainOf(job.id) }, line);
  const upload = journal.outcome<MadeUpdate>(`update-${round - 1}`)?.message.upload;
  if (told === undefined || upload === undefined || carriedUpload(told, account) === undefined)
    return undefined;
  const update = keptInputs(dir, round - 1).update;
  const residual = residualFile(dir, round - 1);
  if (!existsSync(update) || !existsSync(residual)) return undefined;
  const bytes = new Uint8Array(await readFile(update));
  return { upload, bytes, residual: readVector(residual, updateLengthOf(spec.federated)) };
}

/** Keeps what an update left unsaid, before it is signed: a restart makes the same again. */
export async function keepResidual(dir: string, round: number, residual: Vector): Promise<void> {
  writeVector(residualFile(dir, round), residual);
  await rm(residualFile(dir, round - KEPT), { force: true });
}

/** The residuals of the update of `round`, as they are kept here; undefined where they are not. */
export function keptResiduals(
  dir: string,
  round: number,
  { carried, length }: { readonly carried: boolean; readonly length: number },
): Residuals | undefined {
  const [before, after] = [residualFile(dir, round - 1), residualFile(dir, round)];
  if (!existsSync(after) || (carried && !existsSync(before))) return undefined;
  return { before: carried ? readVector(before, length) : undefined, after: readVector(after, length) };
}

function residualFile(dir: string, round: number): string {
  return join(dir, `residual-${round}`);
}
