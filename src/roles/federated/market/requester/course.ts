import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob, Hosting } from "../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { HostedParcel } from "../../../../protocol/federated/market/messages.ts";
import { PART_FILE, PUBLIC_FILE } from "../../../../protocol/federated/market/spec.ts";
import { writeExactModel } from "../../../../protocol/federated/model-file.ts";
import { type Address, type Hex, type JobId, sameAddress } from "../../../../protocol/ids.ts";
import { MAX_FILES } from "../../../../protocol/limits.ts";
import type { Party } from "../../../../protocol/offer.ts";
import type { WorkerContext } from "../../../context.ts";
import { partyOf } from "../../../shared/party.ts";
import type { FileAggregation } from "../../aggregation/aggregate-files.ts";
import { readVector } from "../../aggregation/vector-file.ts";
import { type Channel, channelWith } from "../channel.ts";
import { EXACT_FILE } from "../update-parcel.ts";
import type { FederatedDraft, RoundBasis } from "./draft.ts";
import type { LeadFiles } from "./files.ts";
import type { RoundPlace } from "./round/aggregate.ts";
import { dealRows, loadRows, type Rows, rowsFile, unlabelledFile } from "./round/rows.ts";

const LOG_BYTES = 1 << 16;

/** A provider that is invited, and how to speak to it. */
export interface Correspondent {
  readonly party: Party;
  readonly channel: Channel;
}

/** The invited providers with the keys that they had when they were invited: channels must not change with an offer. */
export async function correspondentsOf(
  context: WorkerContext,
  journal: JobJournal,
  draft: FederatedDraft,
  id: JobId,
  options: Abortable,
): Promise<readonly Correspondent[]> {
  const parties = await journal.step("parties", {
    prepare: () => Promise.all(draft.invited.map((account) => partyOf(context, account, options))),
    act: (known) => known,
  });
  return Promise.all(
    parties.map(async (party) => ({
      party,
      channel: await channelWith(context.keyring, party.keys.onionKey, id),
    })),
  );
}

interface CourseMember {
  readonly account: Address;
  readonly channel: Channel;
  /** Undefined where it has data of its own. */
  readonly part: HostedParcel | undefined;
  /** It was left out (`courseOf`). */
  readonly out?: boolean;
  readonly rows: number;
}

/** What does not change from round to round. */
export interface Course {
  readonly place: RoundPlace;
  readonly members: readonly CourseMember[];
  readonly hosting: Hosting;
}

/** Deals the data to those that enlisted, and hosts a part for each; the same parts after a crash. */
export async function openCourse(
  context: WorkerContext,
  journal: JobJournal,
  {
    draft,
    files,
    job,
    aggregation,
    hosting,
  }: {
    draft: FederatedDraft;
    files: LeadFiles;
    job: FederatedJob;
    aggregation: FileAggregation;
    hosting: Hosting;
  },
  options: Abortable,
): Promise<Course> {
  const providers = enlistedIn(job);
  const place = await openPlace(
    context,
    journal,
    {
      ...{ draft, files, aggregation, bundle: draft.bundle, bundleKey: draft.bundleKey },
      members: providers,
    },
    options,
  );
  const correspondents = await correspondentsOf(context, journal, draft, job.id, options);
  const members: CourseMember[] = [];
  for (const [at, account] of providers.entries()) {
    const { channel } = correspondents.find(({ party }) => sameAddress(party.account, account))!;
    const { train, open } = place;
    if (train === undefined) {
      members.push({ account, channel, part: undefined, rows: 0 });
      continue;
    }
    const path = files.part(at);
    const part = await journal.step(`part-${at}`, {
      prepare: () => null,
      act: () => packPart(context, { files, train, open }, { rows: place.parts[at]!, out: path }, options),
    });
    await hosting.add(part.blob);
    const hostedPart = { root: part.blob.root, key: part.key, bytes: part.blob.size };
    members.push({ account, channel, part: hostedPart, rows: place.parts[at]!.length });
  }
  return { place, members, hosting };
}

/** The job's providers in the order in which they enlisted: a provider's place names its part. */
export function enlistedIn({ members }: Pick<FederatedJob, "members">): Address[] {
  return members.filter(({ seat }) => !seat).map(({ account }) => account);
}

/** Loads the data, deals it, and prepares the task on this machine. */
export async function openPlace(
  { parcels, sandbox, reporter }: WorkerContext,
  journal: JobJournal,
  {
    draft,
    files,
    aggregation,
    bundle,
    bundleKey,
    members,
  }: {
    readonly draft: RoundBasis;
    readonly files: LeadFiles;
    readonly aggregation: FileAggregation;
    readonly bundle: Blob;
    readonly bundleKey: Hex;
    /** The job's providers, to whom the rows are dealt. */
    readonly members: readonly Address[];
  },
  options: Abortable,
): Promise<RoundPlace> {
  const { federated } = draft.file;
  const [train, test, root, open] = await Promise.all([
    federated.train && loadRows(draft.folder, federated.train),
    loadRows(draft.folder, federated.test),
    federated.root && loadRows(draft.folder, federated.root),
    federated.public && loadRows(draft.folder, federated.public),
  ]);
  const image = await journal.step("opened", {
    prepare: () => files.input,
    act: async (into) => {
      await rm(into, { recursive: true, force: true });
      const limits = { maxBytes: Number.MAX_SAFE_INTEGER, maxFiles: MAX_FILES };
      await parcels.open({ blob: bundle, sessionKey: bundleKey, into, limits }, options);
      const named = draft.spec.image;
      if (typeof named === "string") return named;
      const what = `image ${"oci" in named ? named.oci : "in the job's bundle"}`;
      const id = `image-${journal.key}`;
      reporter.emit({ kind: "start", id, text: `Preparing the ${what}` });
      try {
        const digest = await sandbox.prepare(sourceOf(named, into), boundsOf(draft), options);
        reporter.emit({ kind: "end", id, text: `Prepared the ${what}` });
        return digest;
      } catch (error) {
        reporter.emit({ kind: "fail", id, text: `The ${what} could not be prepared` });
        throw error;
      }
    },
  });
  const tasks = { spec: draft.spec, input: files.input, gpus: [], logBytes: LOG_BYTES, image };
  const dealt =
    train === undefined
      ? members.map(() => new Uint32Array())
      : dealRows(train, federated.data.split, members.length, draft.seed);
  return { draft, files, tasks, aggregation, train, test, root, open, parts: dealt, members };
}

/** A provider's part as a parcel, with the public rows where there are any. */
export async function packPart(
  { parcels }: Pick<WorkerContext, "parcels">,
  place: PartPlace,
  { rows, out }: { readonly rows: Uint32Array; readonly out: string },
  options: Abortable,
) {
  const { root, paths } = await writePart(place, rows);
  const packed = await parcels.pack({ root, paths, out }, options);
  for (const path of paths) await rm(join(root, path), { force: true });
  return { blob: packed.blob, key: packed.sessionKey };
}

/** The digest of a provider's part, which its uploads name. */
export async function partDigest(
  { parcels }: Pick<WorkerContext, "parcels">,
  place: PartPlace,
  rows: Uint32Array,
  options: Abortable,
): Promise<Hex> {
  const { root, paths } = await writePart(place, rows);
  const digest = await parcels.digest(root, paths, options);
  for (const path of paths) await rm(join(root, path), { force: true });
  return digest;
}

type PartPlace = Pick<RoundPlace, "files" | "open"> & { readonly train: Rows };

async function writePart({ files, train, open }: PartPlace, rows: Uint32Array) {
  const root = files.rounds;
  await writeFile(join(root, PART_FILE), rowsFile(train, rows));
  if (open !== undefined) await writeFile(join(root, PUBLIC_FILE), unlabelledFile(open));
  return { root, paths: [PART_FILE, ...(open === undefined ? [] : [PUBLIC_FILE])] };
}

type OwnImage = Exclude<RoundBasis["spec"]["image"], string>;

function sourceOf(image: OwnImage, dir: string) {
  return "oci" in image ? image : { dir, ...image };
}

/** Its own image: as large as the machine has room for. */
function boundsOf({ spec }: RoundBasis) {
  const { memory, cpus } = spec.resources;
  return { maxBytes: Number.MAX_SAFE_INTEGER, seconds: 3600, memoryBytes: memory, cpus };
}

/** The exact model that round `round` begins with, as a parcel. */
export function packModel(
  { parcels }: WorkerContext,
  journal: JobJournal,
  { draft, files }: RoundPlace,
  round: number,
  options: Abortable,
) {
  return journal.step(`model-${round}`, {
    prepare: () => files.parcel(round),
    act: async (out) => {
      const vector = readVector(files.model(round), draft.spec.federated.parameters);
      await writeFile(join(files.rounds, EXACT_FILE), writeExactModel({ layout: draft.layout, vector }));
      const packed = await parcels.pack({ root: files.rounds, paths: [EXACT_FILE], out }, options);
      await rm(join(files.rounds, EXACT_FILE), { force: true });
      return { blob: packed.blob, key: packed.sessionKey };
    },
  });
}
