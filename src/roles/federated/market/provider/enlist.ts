import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { refuseFederated } from "../../../../protocol/federated/market/policy.ts";
import {
  type FederatedSpec,
  federatedSpecHash,
  federatedSpecSchema,
  taskSpecOf,
} from "../../../../protocol/federated/market/spec.ts";
import { refuseOwnData } from "../../../../protocol/federated/privacy/own-data.ts";
import type { Address, JobId } from "../../../../protocol/ids.ts";
import { MAX_FILES } from "../../../../protocol/limits.ts";
import type { Endpoint } from "../../../../protocol/parcel/locator.ts";
import type { Manifest } from "../../../../protocol/parcel/manifest.ts";
import { freeStake } from "../../../../protocol/policy/match.ts";
import { refuseSpec } from "../../../../protocol/policy/policy.ts";
import { type Refusal, refuse } from "../../../../protocol/policy/refusal.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { transact } from "../../../shared/transact.ts";
import { requireRoom } from "../../../task/disk-room.ts";
import { fetchBlob } from "../../../task/fetch-blob.ts";
import { type Channel, channelWith } from "../channel.ts";
import { enlistmentIn } from "../enlist.ts";
import { refusePool } from "./hand-over.ts";
import { checkedFolder } from "./own-data.ts";

/** What a provider has once it takes part. */
export interface Enlisted {
  readonly spec: FederatedSpec;
  /** Folder with the bundle's files. */
  readonly input: string;
  /** The requester's host, with this provider's token. */
  readonly endpoint: Endpoint;
  readonly channel: Channel;
  /** The requester's onion key. */
  readonly onionKey: `0x${string}`;
}

/**
 * Examines a job that this account was invited to and enlists, or resolves with the reason why not; fetches the bundle
 * before, so that a job with a bad spec costs neither gas nor stake.
 */
export async function enlist(
  context: WorkerContext,
  journal: JobJournal,
  id: JobId,
  setup: ProviderSetup,
  options: Abortable,
): Promise<Enlisted | Refusal> {
  const { market, keyring, account } = context;
  const job = await market.federatedJob(id, options);
  const before = journal.intent("enlist") !== undefined;
  if (!before) {
    const refused = await refuseNow(context, job, setup, options);
    if (refused) return refused;
  }
  const invitation = await enlistmentIn({ market, keyring }, job);
  if (invitation === undefined) return refuse("NOT_POSTED", "this account was not invited");
  const { locator, onionKey, admission } = invitation;
  const channel = await channelWith(keyring, onionKey, id);
  const endpoint = { ...locator.bundle, token: channel.token(locator.bundle.token) };
  using enlistBy = chainDeadline(
    before ? Number.POSITIVE_INFINITY : job.terms.enlistBy,
    market,
    options.signal,
  );
  const home = jobFolder(context.jobsDir, "federated-provider", id);
  const { maxBundle: maxBytes } = setup.policy;
  // The bundle and what is in it, and later a model and a part.
  const noRoom = before ? undefined : await setup.disk?.refuse(3 * locator.bundleBytes);
  if (noRoom) return noRoom;
  const bundle = await journal.step("bundle", {
    prepare: () => ({ root: job.terms.bundleRoot, path: home.bundle }),
    act: async ({ root, path }) => {
      await requireRoom(path, locator.bundleBytes);
      const request = { endpoint, root, path, maxBytes, size: locator.bundleBytes };
      const blob = await fetchBlob(context, "bundle", request, enlistBy);
      await rm(home.input, { recursive: true, force: true });
      const opening = { blob, sessionKey: locator.bundleKey, into: home.input };
      const opened = await context.parcels.open(
        { ...opening, limits: { maxBytes, maxFiles: MAX_FILES } },
        enlistBy,
      );
      return { spec: specIn(opened.manifest, job), requester: opened.manifest.author };
    },
  });
  const { spec } = bundle;
  await keyring.check({ account: job.terms.requester, keys: bundle.requester });
  if (!before) {
    const unfit =
      refuseSpec(setup.policy, taskSpecOf(spec), setup.machine) ??
      refuseFederated(setup.policy, job.terms, {
        now: await market.now(options),
        time: spec.resources.time,
      });
    if (unfit) return unfit;
    const { gossip } = spec.federated;
    const noPeer = gossip && refusePool(setup.policy, context.jobsDir, gossip);
    if (noPeer) return noPeer;
    const unsafe = await refuseData(context, spec, { setup, requester: job.terms.requester }, options);
    if (unsafe) return unsafe;
    // The exact model, F32 of it, an update; and the disk of the run.
    const needed = 16 * spec.federated.parameters + spec.resources.disk;
    const full = await setup.disk?.refuse(needed);
    if (full) return full;
    if (setup.draining) return refuse("DRAINING", "it takes no more jobs before it stops");
  }
  if (memberOf(job, account) === undefined) {
    try {
      await transact(market, journal, { kind: "enlist", federated: job, admission }, options);
    } catch (error) {
      if (isIchainError(error) && error.class === "refused")
        return { code: error.code, reason: error.message };
      throw error;
    }
  }
  return { spec, input: home.input, endpoint, channel, onionKey };
}

export function specIn({ note }: Manifest, { terms }: FederatedJob): FederatedSpec {
  const spec = federatedSpecSchema.safeParse(note);
  if (spec.success && federatedSpecHash(spec.data) === terms.specHash) return spec.data;
  throw new IchainError("SPEC_MISMATCH", "The bundle's spec is not the one in the job's terms.");
}

/** Why the job may not have the data of this provider's own that it asks for; undefined where it may, or asks for none. */
async function refuseData(
  { jobsDir }: WorkerContext,
  { federated: { own, rounds, privacy } }: FederatedSpec,
  { setup: { policy }, requester }: { readonly setup: ProviderSetup; readonly requester: Address },
  options: Abortable,
): Promise<Refusal | undefined> {
  if (own === undefined) return undefined;
  const refused = refuseOwnData(policy.federated.data, own, { requester, rounds, privacy });
  if (refused) return refused;
  try {
    await checkedFolder(policy.federated.data[own]!.folder, dirname(jobsDir), options);
    return undefined;
  } catch (error) {
    if (!isIchainError(error, "OWN_DATA_UNUSABLE")) throw error;
    return refuse(error.code, error.message);
  }
}

async function refuseNow(
  { market, account }: WorkerContext,
  { state, terms, members }: FederatedJob,
  { policy, draining }: ProviderSetup,
  options: Abortable,
): Promise<Refusal | undefined> {
  if (draining) return refuse("DRAINING", "it takes no more jobs before it stops");
  if (state !== "Enlisting") return refuse("NOT_POSTED", `it is ${state}`);
  if (members.length >= terms.places) return refuse("NOT_POSTED", "all its places are taken");
  const now = await market.now(options);
  if (now > terms.enlistBy) return refuse("TOO_LATE", "its time to enlist is over");
  const refused = refuseFederated(policy, terms, { now });
  if (refused) return refused;
  const offer = await market.offer(account, options);
  const free = offer === undefined ? 0n : freeStake(offer, await market.poolStake(options));
  return free < terms.providerStake
    ? refuse("STAKE_TOO_LITTLE", "it asks for more stake than is free here")
    : undefined;
}

export function isRefused(answer: Enlisted | Refusal): answer is Refusal {
  return "code" in answer;
}
