import { createHash } from "node:crypto";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Abortable, aborted } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob, HostIdentity } from "../../../../ports/transport.ts";
import { modelDigest, updateDigest } from "../../../../protocol/federated/digest.ts";
import { readAggregation } from "../../../../protocol/federated/ledger/ledger.ts";
import { recordHash } from "../../../../protocol/federated/ledger/record.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { RoundMessage } from "../../../../protocol/federated/market/messages.ts";
import { PART_FILE, PUBLIC_FILE } from "../../../../protocol/federated/market/spec.ts";
import { type Model, readExactModel } from "../../../../protocol/federated/model-file.ts";
import { type Address, type Hex, sameAddress } from "../../../../protocol/ids.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import type { HostedOnce } from "../../../shared/host-once.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteAndReport, retryText } from "../../../shared/note.ts";
import { random32 } from "../../../shared/random.ts";
import { transact } from "../../../shared/transact.ts";
import { type Encoded, encode } from "../../encode.ts";
import { noiseCommitment, noiseSeed, withNoise } from "../../privacy/noise.ts";
import { readBounded } from "../read-bounded.ts";
import { packResiduals, type SentBefore } from "../residual-proof.ts";
import { discardRun } from "../train.ts";
import { unlessRefused } from "../unless-refused.ts";
import { EXACT_FILE, UPDATE_FILE } from "../update-parcel.ts";
import { examineBooks } from "./challenge.ts";
import type { Enlisted } from "./enlist.ts";
import { handEvidence } from "./hand-over.ts";
import { fetchFromAny, hear, type LastToAnswer, type Lead, leadsOf, readerOf } from "./leads.ts";
import { keepInputs, keepResidual, type MadeUpdate, sentBefore, tellsRoundBefore } from "./made-update.ts";
import { checkedFolder, saltedDigest } from "./own-data.ts";
import { keepPay } from "./settle.ts";
import { trainHere } from "./train-here.ts";

export interface RoundContext {
  readonly job: FederatedJob;
  readonly round: number;
  readonly setup: ProviderSetup;
  readonly enlisted: Enlisted;
  readonly hosting: HostedOnce;
  readonly identity: HostIdentity;
  readonly last: LastToAnswer;
}

/** Updates that are hosted: the requester may still be at the last one's. */
export function updatesOf(journal: JobJournal): Blob[] {
  return lastRounds(journal).flatMap((one) => blobsOf(journal.outcome<MadeUpdate>(`update-${one}`)));
}

function blobsOf(made: MadeUpdate | undefined): Blob[] {
  return made === undefined ? [] : [made.blob, ...(made.residuals ? [made.residuals] : [])];
}

/** Rounds are found by their steps: the last with a message, and the one before. */
function lastRounds(journal: JobJournal): number[] {
  let last = 0;
  while (journal.intent(`message-${last + 1}`) !== undefined) last += 1;
  return [last - 1, last].filter((one) => one > 0);
}

/**
 * One round: fetches the model, trains it on this provider's part, and tells the requester where the update lies. Stays
 * until `options.signal` aborts because the round is over; says on the chain that it has uploaded when the round is still
 * open late: that is what pays it should the requester fall silent.
 */
export async function takeRound(
  context: WorkerContext,
  journal: JobJournal,
  round: RoundContext,
  options: Abortable,
): Promise<void> {
  const { job, enlisted, hosting } = round;
  const message = await hearOf(context, journal, round, options);
  const before = { job, round: round.round - 1, lines: message.ledger };
  await keepPay(context, journal, before);
  await examineBooks(context, journal, { ...before, policy: round.setup.policy }, options);
  if (message.work === undefined) return;
  const leads = await leadsOf(context, journal, job.id, enlisted, options);
  const made = await makeUpdate(
    context,
    journal,
    { ...round, work: message.work, line: message.ledger.at(-1) },
    options,
  );
  // Once it is recorded: before, a crash would make the update again of the run's outputs.
  await discardRun(context, journal, `round-${round.round}`);
  const live = await hosting.start();
  for (const lead of leads) await live.admit(readerOf(lead));
  for (const blob of blobsOf(made)) await live.add(blob);
  for (const earlier of blobsOf(journal.outcome<MadeUpdate>(`update-${round.round - 1}`))) {
    live.remove(earlier.root);
    await rm(earlier.path, { force: true });
  }
  const told = () =>
    retryTransient(
      () => tell(context, journal, round, { leads, made }, options),
      (error, pause) => context.reporter.emit({ kind: "warn", text: retryText(error, pause) }),
      options,
    );
  // One that was left out before says so first: what is on the chain cannot be passed over.
  if (wasLeftOut(context, journal, message)) await assertUpload(context, journal, round, made, options);
  await Promise.all([told(), assertLate(context, journal, round, made, options)]);
}

/** Tells the leads where the update lies. */
async function tell(
  context: WorkerContext,
  journal: JobJournal,
  { job, round }: RoundContext,
  { leads, made }: { readonly leads: readonly Lead[]; readonly made: MadeUpdate },
  options: Abortable,
): Promise<void> {
  await journal.step(`told-${round}`, {
    prepare: () => null,
    act: async () => {
      const told = await Promise.allSettled(
        leads.map(async ({ channel, endpoint }) => {
          const request = { endpoint, root: job.terms.bundleRoot, notice: channel.seal(made.message) };
          await context.transport.sendNotice(request, options);
        }),
      );
      // One lead that is away does not cost the others the update: more than half of the seats close a round.
      const failed = told.filter((one) => one.status === "rejected");
      if (failed.length * 2 >= leads.length) throw failed[0]!.reason;
      return true;
    },
  });
  noteAndReport(context, journal, `round ${round}: the update is sent`);
}

/** Whether the round before counted no update of this provider though it had sent one. */
function wasLeftOut(
  { account }: WorkerContext,
  journal: JobJournal,
  { round, ledger }: RoundMessage,
): boolean {
  if (round === 1 || journal.outcome(`told-${round - 1}`) === undefined) return false;
  const { members } = readAggregation(ledger.at(-1) ?? "");
  return members.some(({ provider, upload }) => sameAddress(provider, account) && upload === NOTHING);
}

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/** The leads' message of this round, which they may not have written yet. */
function hearOf(
  context: WorkerContext,
  journal: JobJournal,
  { job, round, enlisted, last }: RoundContext,
  options: Abortable,
): Promise<RoundMessage> {
  return journal.step(`message-${round}`, {
    prepare: () => null,
    act: async () => {
      const leads = await leadsOf(context, journal, job.id, enlisted, options);
      const signed =
        job.terms.seats > 0 && round > 1 ? job.closings[round - 2]!.closing.modelRoot : undefined;
      const accept = (message: RoundMessage) =>
        message.round === round &&
        (enlisted.spec.federated.update === "int8" ||
          tellsRoundBefore(context, { job, round }, message.ledger)) &&
        (signed === undefined || message.work === undefined || message.work.model.root === signed);
      return await hear(context, leads, { from: round, accept, last }, options);
    },
  });
}

type Work = NonNullable<RoundMessage["work"]>;

function makeUpdate(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    round,
    setup,
    enlisted,
    identity,
    last,
    work,
    line,
  }: RoundContext & {
    readonly work: Work;
    /** The round before, as the ledger has it. */
    readonly line: string | undefined;
  },
  options: Abortable,
): Promise<MadeUpdate> {
  const { market, parcels, account, jobsDir } = context;
  const { spec, input } = enlisted;
  const { dir } = jobFolder(jobsDir, "federated-provider", job.id);
  return journal.step(`update-${round}`, {
    prepare: () => null,
    act: async () => {
      const { gossip } = spec.federated;
      if (gossip !== undefined) {
        const request = { pool: gossip, terms: job.terms, readChain: setup.readChain };
        const bytes = await handEvidence(context, request, options);
        return await packed({ bytes, data: gossip.genesis, seconds: 0 });
      }
      const own = await ownDataOf(context, journal, { spec, setup }, options);
      const data = own?.digest ?? (await bringPart(context, journal, { enlisted, work, dir }, options));
      const known = await leadsOf(context, journal, job.id, enlisted, options);
      // After a restart no one has answered yet: all are asked at once which of them is up.
      if (known.length > 1 && !last.isKnown)
        await hear(context, known, { from: round, accept: () => true, last }, options);
      const leads = last.first(known);
      const model = await bringModel(context, { job, round, enlisted, leads, work, dir }, options);
      const dataDir = own?.folder;
      const training = { job, round, setup, enlisted, input, dataDir, name: `round-${round}`, model };
      const trained = await trainHere(context, journal, training, options);
      const before =
        spec.federated.update === "int8"
          ? undefined
          : await sentBefore(context, journal, { job, round, line, spec, dir });
      const { bytes, residual } = await encoded(journal, { job, round, spec, before }, trained.change);
      if (residual !== undefined) await keepResidual(dir, round, residual);
      await keepInputs(dir, { round, model, update: bytes });
      const { blob, message } = await packed({ bytes, data, seconds: trained.seconds });
      const shown =
        residual === undefined || job.terms.seats === 0
          ? undefined
          : await packResiduals(
              context,
              join(dir, `update-${round}-residuals`),
              { line, before, after: residual },
              options,
            );
      const carried = before !== undefined;
      if (shown === undefined) return { blob, message, carried };
      const residuals = { root: shown.blob.root, key: shown.key, bytes: shown.blob.size };
      return { blob, residuals: shown.blob, message: { ...message, residuals }, carried };
    },
  });

  async function packed({ bytes, data, seconds }: { bytes: Uint8Array; data: Hex; seconds: number }) {
    const folder = join(dir, `update-${round}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, UPDATE_FILE), bytes);
    const made = await parcels.pack({ root: folder, paths: [UPDATE_FILE], out: `${folder}.parcel` }, options);
    await rm(folder, { recursive: true, force: true });
    const upload = {
      ...{ round, provider: account.toLowerCase() as Address, parent: parentOf(job, spec, round), data },
      ...{ update: updateDigest(createHash("sha256"), [bytes]), location: made.blob.root },
      ...{ finishedAt: await market.now(options), seconds },
    };
    const signature = market.signRecord(recordHash(upload, market.ledgerDomainOf(job.id)));
    const { transport, address } = identity.endpoint;
    const parcel = { root: made.blob.root, key: made.sessionKey, bytes: made.blob.size };
    return { blob: made.blob, message: { upload, signature, transport, address, parcel } };
  }
}

/** Digest of the model that the round begins with, as the chain has it. */
function parentOf({ closings }: FederatedJob, spec: Enlisted["spec"], round: number): Hex {
  return round === 1 ? spec.federated.start : closings[round - 2]!.closing.modelDigest;
}

/** Fetches this provider's part, once: a later one has the rows of providers that fell silent. Resolves with its digest. */
async function bringPart(
  context: WorkerContext,
  journal: JobJournal,
  { enlisted, work, dir }: { enlisted: Enlisted; work: Work; dir: string },
  options: Abortable,
): Promise<Hex> {
  // A seat names none: each provider has had its own from the requester.
  const named = work.part ?? journal.outcome<RoundMessage>("message-1")?.work?.part;
  const part = await journal.step(`part-${named?.root.slice(2, 18) ?? "none"}`, {
    prepare: () => null,
    act: async () => {
      if (named === undefined)
        throw new IchainError(
          "FEDERATED_MESSAGE_INVALID",
          "The requester has not given this provider its part.",
        );
      const into = join(dir, "part");
      const { digest } = await bringParcel(context, enlisted, { ...named, from: [enlisted] }, into, options);
      await copyFile(join(into, PART_FILE), join(enlisted.input, PART_FILE));
      if (enlisted.spec.federated.scores !== undefined)
        await copyFile(join(into, PUBLIC_FILE), join(enlisted.input, PUBLIC_FILE));
      await rm(into, { recursive: true, force: true });
      return { digest };
    },
  });
  return part.digest;
}

/** The data of this provider's own that the job trains on, if it does: their folder, and a digest that is fixed once. */
async function ownDataOf(
  { jobsDir }: WorkerContext,
  journal: JobJournal,
  { spec, setup }: { readonly spec: Enlisted["spec"]; readonly setup: ProviderSetup },
  options: Abortable,
): Promise<{ readonly folder: string; readonly digest: Hex } | undefined> {
  const { own } = spec.federated;
  if (own === undefined) return undefined;
  const rule = setup.policy.federated.data[own];
  if (rule === undefined)
    throw new IchainError("OWN_DATA_UNUSABLE", `The policy has no data of the name "${own}" any more.`);
  const folder = await checkedFolder(rule.folder, dirname(jobsDir), options);
  const digest = await journal.step("own-data", {
    prepare: random32,
    act: (salt) => saltedDigest(folder, salt, options),
  });
  return { folder, digest };
}

async function bringModel(
  context: WorkerContext,
  {
    job,
    round,
    enlisted,
    leads,
    work,
    dir,
  }: {
    job: FederatedJob;
    round: number;
    enlisted: Enlisted;
    leads: readonly Lead[];
    work: Work;
    dir: string;
  },
  options: Abortable,
): Promise<Model> {
  const into = join(dir, "model");
  const from = round === 1 ? [enlisted] : leads;
  await bringParcel(context, enlisted, { ...work.model, from }, into, options);
  const { parameters } = enlisted.spec.federated;
  const model = readExactModel(await readBounded(join(into, EXACT_FILE), 8 * parameters + (16 << 20)));
  await rm(into, { recursive: true, force: true });
  const digest = modelDigest(createHash("sha256"), model.layout, model.vector);
  if (digest !== parentOf(job, enlisted.spec, round))
    throw new IchainError("MODEL_INVALID", "The requester's model is not the one that the chain names.");
  return model;
}

async function bringParcel(
  context: WorkerContext,
  { spec }: Enlisted,
  { root, key, bytes, from }: Work["model"] & { readonly from: readonly Lead[] },
  into: string,
  options: Abortable,
): Promise<{ readonly digest: Hex }> {
  // A part may be larger than the model, up to the disk that the task asks for.
  const maxBytes = Math.max(parcelBytes(8 * spec.federated.parameters), spec.resources.disk);
  const request = { root, path: `${into}.parcel`, maxBytes, size: bytes };
  const blob = await fetchFromAny(context, from, request, options);
  await rm(into, { recursive: true, force: true });
  const opened = await context.parcels.open(
    { blob, sessionKey: key, into, limits: { maxBytes, maxFiles: 2 } },
    options,
  );
  await rm(`${into}.parcel`, { force: true });
  return opened;
}

/** The update of a change: clipped and noised where the job asks, with what the last top-k update has not said. */
async function encoded(
  journal: JobJournal,
  {
    job,
    round,
    spec,
    before,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly spec: Enlisted["spec"];
    readonly before: SentBefore | undefined;
  },
  change: Float64Array,
): Promise<Encoded> {
  const { update, privacy } = spec.federated;
  let [sent, state] = [change, undefined as Uint8Array | undefined];
  if (privacy !== undefined) {
    const secret = await journal.step("noise", { prepare: random32, act: (one) => one });
    const seed = noiseSeed(Buffer.from(secret.slice(2), "hex"), job.id, round);
    sent = withNoise(change, privacy, seed);
    if (privacy.noise > 0) state = noiseCommitment(seed);
  }
  return encode(sent, update, before?.residual, state);
}

/** Asserts the upload when a third of the window is left and the round is still open. */
async function assertLate(
  context: WorkerContext,
  journal: JobJournal,
  { job, round }: RoundContext,
  { message }: MadeUpdate,
  options: Abortable,
): Promise<void> {
  const { market } = context;
  if (journal.outcome(`assert-${round}`) !== undefined) return;
  using clock = chainDeadline(job.deadline, market, options.signal, Math.floor(job.terms.roundWindow / 3));
  await aborted(clock.signal);
  if (options.signal.aborted || !clock.expired) return;
  await assertUpload(context, journal, { job, round }, { message }, options);
}

async function assertUpload(
  context: WorkerContext,
  journal: JobJournal,
  { job, round }: Pick<RoundContext, "job" | "round">,
  { message }: Pick<MadeUpdate, "message">,
  options: Abortable,
): Promise<void> {
  const call = { kind: "assertUpload", federated: job, upload: message.parcel.root } as const;
  await unlessRefused(async () => {
    await transact(context.market, journal, call, { ...options, name: `assert-${round}` });
    noteAndReport(context, journal, `round ${round}: the upload is said on the chain`);
  });
}
