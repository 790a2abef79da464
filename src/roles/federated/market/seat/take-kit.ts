import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob } from "../../../../ports/transport.ts";
import { modelDigest } from "../../../../protocol/federated/digest.ts";
import { kitRulesSchema } from "../../../../protocol/federated/market/file.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { kitDigest, kitMessageSchema } from "../../../../protocol/federated/market/seat-messages.ts";
import { taskSpecOf } from "../../../../protocol/federated/market/spec.ts";
import { readModel } from "../../../../protocol/federated/model-file.ts";
import type { Hex } from "../../../../protocol/ids.ts";
import { MAX_FILES } from "../../../../protocol/limits.ts";
import { refuseSpec } from "../../../../protocol/policy/policy.ts";
import { type Refusal, refuse } from "../../../../protocol/policy/refusal.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { requireRoom } from "../../../task/disk-room.ts";
import { fetchBlob } from "../../../task/fetch-blob.ts";
import { writeVector } from "../../aggregation/vector-file.ts";
import { channelWith } from "../channel.ts";
import { enlistmentIn } from "../enlist.ts";
import { specIn } from "../provider/enlist.ts";
import { hearAny, type Lead } from "../provider/leads.ts";
import type { RoundBasis } from "../requester/draft.ts";
import { emptyRoundFiles, leadFiles } from "../requester/files.ts";

/** What a seat has once the requester has handed it the job. */
export interface Kit {
  readonly basis: RoundBasis;
  readonly requester: Lead;
  readonly bundle: Blob;
  readonly bundleKey: Hex;
  /** Of the keys of the models. */
  readonly mask: Hex;
}

/** Fetches what rounds are aggregated with, or resolves with the reason why this machine does not. */
export async function takeKit(
  context: WorkerContext,
  journal: JobJournal,
  job: FederatedJob,
  setup: Pick<ProviderSetup, "policy" | "machine" | "disk">,
  options: Abortable,
): Promise<Kit | Refusal> {
  const { keyring, parcels, transport, jobsDir } = context;
  const invitation = await enlistmentIn(context, job);
  if (invitation === undefined) return refuse("NOT_POSTED", "the requester has not told this account of it");
  const { locator, onionKey } = invitation;
  const channel = await channelWith(keyring, onionKey, job.id);
  const endpoint = { ...locator.bundle, token: channel.token(locator.bundle.token) };
  const requester = { endpoint, channel, onionKey };
  const home = jobFolder(jobsDir, "federated-validator", job.id);
  const files = leadFiles(home.dir);
  await emptyRoundFiles(files);
  const { maxBundle: maxBytes } = setup.policy;
  const limits = { maxBytes, maxFiles: MAX_FILES };
  const noRoom = await setup.disk?.refuse(2 * locator.bundleBytes);
  if (noRoom) return noRoom;
  const bundle = await journal.step("bundle", {
    prepare: () => ({ root: job.terms.bundleRoot, path: home.bundle }),
    act: async ({ root, path }) => {
      await requireRoom(path, locator.bundleBytes);
      const request = { endpoint, root, path, maxBytes, size: locator.bundleBytes };
      const blob = await fetchBlob(context, "bundle", request, options);
      await rm(home.input, { recursive: true, force: true });
      const opening = { blob, sessionKey: locator.bundleKey, into: home.input, limits };
      const { manifest } = await parcels.open(opening, options);
      await keyring.check({ account: job.terms.requester, keys: manifest.author });
      return { blob, spec: specIn(manifest, job) };
    },
  });
  const { spec } = bundle;
  const unfit = refuseSpec(setup.policy, taskSpecOf(spec), setup.machine);
  if (unfit) return unfit;
  const told = await journal.step("kit", {
    prepare: () => null,
    act: () => {
      const asked = { from: 1, accept: () => true, feed: ({ feed }: typeof channel) => feed };
      return hearAny(context, [requester], { ...asked, schema: kitMessageSchema }, options);
    },
  });
  const folder = join(home.dir, "kit");
  const opened = await journal.step("kit-opened", {
    prepare: () => folder,
    act: async (into) => {
      const { root, key, bytes } = told.kit;
      const path = `${into}.parcel`;
      await requireRoom(path, bytes);
      const blob = await transport.fetch({ endpoint, root, path, maxBytes, size: bytes }, options);
      await rm(into, { recursive: true, force: true });
      const { manifest, digest } = await parcels.open({ blob, sessionKey: key, into, limits }, options);
      await rm(path, { force: true });
      const rules = kitRulesSchema.safeParse(manifest.note);
      if (!rules.success) throw malformedKit("its rules are none");
      if (kitDigest(rules.data, digest, told.seed) !== spec.federated.kit)
        throw malformedKit("it is not the one that the job's spec names");
      const model = readModel(await readFile(join(into, rules.data.model)));
      if (modelDigest(createHash("sha256"), model.layout, model.vector) !== spec.federated.start)
        throw malformedKit("its model is not the one that the providers agreed to");
      writeVector(files.model(1), model.vector);
      return { rules: rules.data, layout: model.layout };
    },
  });
  const { rules, layout } = opened;
  const basis = { file: { federated: rules }, folder, spec, terms: job.terms, layout, seed: told.seed };
  return { basis, requester, bundle: bundle.blob, bundleKey: locator.bundleKey, mask: told.mask };
}

function malformedKit(why: string): IchainError {
  return new IchainError(
    "FEDERATED_MESSAGE_INVALID",
    `What the requester hands its validators cannot be used: ${why}.`,
  );
}

export function isRefusedKit(answer: Kit | Refusal): answer is Refusal {
  return "code" in answer;
}
