import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { retry } from "../../../../async/retry.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { Blob } from "../../../../ports/transport.ts";
import { modelDigest } from "../../../../protocol/federated/digest.ts";
import {
  EVIDENCE_FILE,
  type Evidence,
  evidenceSchema,
  KIT_FOLDER,
  updateFolder,
  witnessMessageSchema,
} from "../../../../protocol/federated/market/dispute/evidence.ts";
import { filesOf } from "../../../../protocol/federated/market/file.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../protocol/federated/market/messages.ts";
import { kitDigest } from "../../../../protocol/federated/market/seat-messages.ts";
import { type FederatedSpec, taskSpecOf } from "../../../../protocol/federated/market/spec.ts";
import { type Model, readExactModel } from "../../../../protocol/federated/model-file.ts";
import type { Address, Hex } from "../../../../protocol/ids.ts";
import { MAX_FILES } from "../../../../protocol/limits.ts";
import { refuseSpec } from "../../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { requireRoom } from "../../../task/disk-room.ts";
import { fetchBlob } from "../../../task/fetch-blob.ts";
import { meetingOf } from "../dispute/meet.ts";
import { specIn } from "../provider/enlist.ts";
import { readBounded } from "../read-bounded.ts";
import type { RoundBasis } from "../requester/draft.ts";
import { checkUpdate, isUpdateOf, maxUpdateBytes } from "../requester/round/arrivals.ts";
import { EXACT_FILE, UPDATE_FILE } from "../update-parcel.ts";

const MAX_EVIDENCE_BYTES = 16 << 20;
/** How long a witness that has not published yet is asked again after, milliseconds. */
const PAUSES = { firstPauseMs: 200, longestPauseMs: 5_000, factor: 1.5 };

export type PanelSetup = Pick<ProviderSetup, "policy" | "machine" | "disk" | "draining">;

/** What a witness shows, opened in a folder here; nothing of it is believed yet. */
export interface Testimony {
  readonly folder: string;
  readonly evidence: Evidence;
  readonly bundle: { readonly blob: Blob; readonly key: Hex };
}

/**
 * Waits until a witness shows what it has in a dispute, and fetches it; from the beginning where it is away meanwhile.
 * @throws FEDERATED_MESSAGE_INVALID and the codes of parcels, for what cannot be used
 */
export function hearWitness(
  context: WorkerContext,
  asked: WitnessAsked,
  setup: PanelSetup,
  options: Abortable,
): Promise<Testimony> {
  return retry(() => askWitness(context, asked, setup, options), {
    signal: options.signal,
    when: (error) => isIchainError(error) && error.retryable && !isOwnDisk(error),
    ...PAUSES,
  });
}

/** Whether it is this machine's disk that what a witness shows has no room on. */
export function isOwnDisk(error: unknown): boolean {
  return OWN_DISK.some((code) => isIchainError(error, code));
}

const OWN_DISK = ["DISK_TOO_FULL", "PARCEL_DISK_FULL", "TRANSFER_DISK_FAILED"] as const;

interface WitnessAsked {
  readonly job: FederatedJob;
  readonly dispute: Dispute;
  readonly by: Address;
  readonly dir: string;
}

async function askWitness(
  context: WorkerContext,
  { job, dispute, by, dir }: WitnessAsked,
  setup: PanelSetup,
  options: Abortable,
): Promise<Testimony> {
  const { transport, parcels } = context;
  const { identity, channel } = await meetingOf(context, job, dispute, by, options);
  const { endpoint } = identity;
  const part = await transport.fetchPart({ endpoint, id: channel.feed, from: 0 }, options);
  if (part === undefined)
    throw new IchainError("FEDERATED_ROUND_UNKNOWN", "A witness has not shown the panel anything yet.");
  const told = channel.open(part, witnessMessageSchema);
  const { maxBundle: maxBytes } = setup.policy;
  const limits = { maxBytes, maxFiles: MAX_FILES };
  const folder = join(dir, by.slice(2).toLowerCase());
  const { root, key, bytes } = told.evidence;
  const path = `${folder}.parcel`;
  await requireRoom(path, 2 * bytes);
  const blob = await transport.fetch({ endpoint, root, path, maxBytes, size: bytes }, options);
  await rm(folder, { recursive: true, force: true });
  await parcels.open({ blob, sessionKey: key, into: folder, limits }, options);
  await rm(path, { force: true });
  const text = Buffer.from(await readBounded(join(folder, EVIDENCE_FILE), MAX_EVIDENCE_BYTES)).toString(
    "utf8",
  );
  const evidence = evidenceSchema.safeParse(parsed(text));
  if (!evidence.success || evidence.data.round !== dispute.round) throw unusable("it is of another form");
  const bundle = await fetchBlob(
    context,
    "bundle",
    {
      ...{ endpoint, root: job.terms.bundleRoot, path: `${folder}.bundle`, maxBytes },
      size: told.bundle.bytes,
    },
    options,
  );
  return { folder, evidence: evidence.data, bundle: { blob: bundle, key: told.bundle.key } };
}

/** What a validator of the job has shown, once it is seen to be what the chain names. */
export interface Case {
  readonly basis: RoundBasis;
  readonly model: Model;
  readonly spec: FederatedSpec;
  readonly bundle: Testimony["bundle"];
}

/**
 * Checks what a validator shows against the chain: the bundle by its root, the kit by the spec, the model by the closing
 * of the round before.
 * @throws FEDERATED_MESSAGE_INVALID for what is none of it, PANEL_UNFIT where this machine does not run the task
 */
export async function openCase(
  context: WorkerContext,
  { job, round }: { readonly job: FederatedJob; readonly round: number },
  { folder, evidence, bundle }: Testimony,
  setup: PanelSetup,
  options: Abortable,
): Promise<Case> {
  const { parcels } = context;
  const { kit } = evidence;
  const { maxBundle: maxBytes } = setup.policy;
  const into = `${folder}-bundle`;
  await rm(into, { recursive: true, force: true });
  const limits = { maxBytes, maxFiles: MAX_FILES };
  const opening = { blob: bundle.blob, sessionKey: bundle.key, into, limits };
  const { manifest } = await parcels.open(opening, options);
  await rm(into, { recursive: true, force: true });
  const spec = specIn(manifest, job);
  const unfit = refuseSpec(setup.policy, taskSpecOf(spec), setup.machine);
  if (unfit) throw new IchainError("PANEL_UNFIT", `The round is not run again here: ${unfit.reason}.`);
  const kitFolder = join(folder, KIT_FOLDER);
  const files = await parcels.digest(kitFolder, filesOf(kit.rules), options);
  if (kitDigest(kit.rules, files, kit.seed) !== spec.federated.kit)
    throw unusable("its files are not those that the job's spec names");
  const { parameters } = spec.federated;
  const model = readExactModel(await readBounded(join(folder, EXACT_FILE), 8 * parameters + (16 << 20)));
  if (modelDigest(createHash("sha256"), model.layout, model.vector) !== parentOfRound(job, spec, round))
    throw unusable("its model is not the one that the round began with");
  const basis = {
    ...{ file: { federated: kit.rules }, folder: kitFolder, spec, terms: job.terms },
    ...{ layout: model.layout, seed: kit.seed },
  };
  return { basis, model, spec, bundle };
}

/** Digest of the model that round `round` began with, as the chain has it. */
export function parentOfRound({ closings }: FederatedJob, spec: FederatedSpec, round: number): Hex {
  return closings[round - 2]?.closing.modelDigest ?? spec.federated.start;
}

/** The updates of a testimony that their providers signed for this round, and where they lie; others are left out. */
export async function soundUpdates(
  { market }: Pick<WorkerContext, "market">,
  {
    job,
    parent,
    parameters,
    gossip,
  }: Pick<FederatedSpec["federated"], "parameters" | "gossip"> & {
    readonly job: FederatedJob;
    readonly parent: Hex;
  },
  { folder, evidence: { round, updates } }: Testimony,
): Promise<readonly { readonly message: UpdateMessage; readonly path: string }[]> {
  const domain = market.ledgerDomainOf(job.id);
  const sound: { message: UpdateMessage; path: string }[] = [];
  for (const [i, message] of updates.entries()) {
    const account = message.upload.provider;
    const place = join(folder, updateFolder(i));
    if (!isUpdateOf(message, { account, round, parent }, domain)) continue;
    try {
      const maxBytes = maxUpdateBytes(parameters, gossip);
      await checkUpdate(place, message, { parameters, gossip, maxBytes });
      sound.push({ message, path: join(place, UPDATE_FILE) });
    } catch (error) {
      if (!isIchainError(error) || error.class !== "untrusted") throw error;
    }
  }
  return sound;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(why: string): IchainError {
  return new IchainError("FEDERATED_MESSAGE_INVALID", `What a panel is shown cannot be used: ${why}.`);
}
