import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { keccak256 } from "ethers";
import type { Abortable } from "../../../../async/abort.ts";
import type { PackedParcel } from "../../../../ports/parcels.ts";
import type { Hex, JobId } from "../../../../protocol/ids.ts";
import { maskHash } from "../../../../protocol/job/exchange.ts";
import { secretHash, seedTip } from "../../../../protocol/job/seeds.ts";
import { lockedBy, type Terms } from "../../../../protocol/job/terms.ts";
import { postedWindows, refuseOwnWindows } from "../../../../protocol/policy/outline.ts";
import type { AllWindows } from "../../../../protocol/policy/windows.ts";
import { ruleOf } from "../../../../protocol/task/judgement.ts";
import { type JobFile, type Spec, specHash } from "../../../../protocol/task/spec.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { random32 } from "../../../shared/random.ts";
import type { KeptInput } from "../../../task/kept/kept-inputs.ts";
import { refuseOverBudget } from "./budget.ts";
import { type Again, bundleBytes, type Draft, recordDraft } from "./draft.ts";
import type { BundlePlace } from "./host-bundle.ts";
import { keepInput } from "./keep-input.ts";
import type { Plan } from "./plan.ts";
import { refuseOwn } from "./refuse-own.ts";

export interface DraftRequest {
  readonly file: JobFile;
  /** Folder of job.yaml: inputs are relative to it. */
  readonly folder: string;
  /** Folder that the exam's paths are relative to, where it is another. */
  readonly examFolder?: string;
  readonly plan: Plan;
  readonly again?: Again | undefined;
  readonly place: BundlePlace;
}

/**
 * Packs the bundle, fixes the terms and records the draft; nothing of them leaves this machine. `advance` continues the
 * job.
 * @throws BUDGET_EXCEEDED
 */
export async function draftJob(
  context: RoleContext,
  { file, folder, examFolder = folder, plan, place, again }: DraftRequest,
  { signal }: Abortable,
): Promise<JobId> {
  const { market, parcels, transport, journal, reporter, jobsDir } = context;
  refuseOverBudget(context, { locked: lockedBy(plan.outline), token: plan.token }, again?.after);
  await mkdir(jobsDir, { recursive: true, mode: 0o700 });
  const draftDir = await mkdtemp(join(jobsDir, ".draft-"));
  try {
    reporter.emit({ kind: "start", id: "pack", text: "Packing and encrypting the bundle" });
    const { inputs: paths } = file.verification;
    const exam =
      paths &&
      (await parcels.pack({ root: examFolder, paths, out: join(draftDir, "exam.parcel") }, { signal }));
    const kept: KeptInput[] = [];
    for (const [i, input] of (file.kept ?? []).entries())
      kept.push(
        await keepInput(context, input, { folder, out: join(draftDir, `kept-${i}.parcel`) }, { signal }),
      );
    const spec = {
      ...plan.spec,
      ...(exam && { exam: commitmentTo(exam) }),
      ...(kept.length > 0 && { kept: kept.map(({ part }) => part) }),
    };
    const apart = new Set(file.kept?.map(({ path }) => path));
    const packed = await parcels.pack(
      {
        root: folder,
        paths: file.inputs.filter((path) => !apart.has(path)),
        out: join(draftDir, "bundle.parcel"),
        note: spec,
      },
      { signal },
    );
    reporter.emit({
      kind: "end",
      id: "pack",
      text: `Packed and encrypted the bundle (${packed.blob.size} bytes)`,
    });
    const fetched = bundleBytes({ bundle: packed.blob, kept }) + (exam?.blob.size ?? 0);
    const windows = await windowsFor(context, file, fetched, { signal });
    const mask = random32();
    const seedSecret = random32();
    const terms = termsOf(
      context,
      file,
      { ...plan, spec },
      {
        windows,
        bundleRoot: packed.blob.root,
        secretHash: secretHash(maskHash(mask), seedTip(seedSecret)),
        now: await market.now({ signal }),
      },
    );
    const jobId = market.jobIdOf(terms);
    // Again: another job may have been drafted while this one was packed.
    using _lock = await context.lockBudgets?.({ signal });
    refuseOverBudget(context, { locked: lockedBy(plan.outline), token: plan.token }, again?.after);
    const home = jobFolder(jobsDir, "requester", jobId);
    await mkdir(join(home.dir, ".."), { recursive: true, mode: 0o700 });
    await rename(draftDir, home.dir);
    const draft: Draft = {
      spec,
      terms,
      ...place,
      benchmark: plan.provider.details.benchmark,
      bundle: { ...packed.blob, path: home.bundle },
      bundleKey: packed.sessionKey,
      ...(kept.length > 0 && { kept: kept.map((one) => movedTo(home.dir, one)) }),
      mask,
      seedSecret,
      ...(exam && {
        exam: {
          blob: { ...exam.blob, path: home.exam },
          key: exam.sessionKey,
          identity: await transport.newIdentity(),
        },
      }),
      audit: plan.audit,
      again,
    };
    await recordDraft(journal.open("requester", jobId), draft);
    return jobId;
  } catch (error) {
    await rm(draftDir, { recursive: true, force: true });
    throw error;
  }
}

function movedTo(dir: string, { part, blob }: KeptInput): KeptInput {
  return { part, blob: { ...blob, path: join(dir, basename(blob.path)) } };
}

/** What the spec says of an exam: enough to refuse another, and nothing of its content. */
function commitmentTo({ blob, sessionKey }: PackedParcel): NonNullable<Spec["exam"]> {
  return { root: blob.root, keyHash: keccak256(sessionKey) as Hex, bytes: blob.size };
}

/** The windows with time to fetch the bundle and the exam, whose sizes are known only now. */
async function windowsFor(
  { market }: RoleContext,
  file: JobFile,
  bundleBytes: number,
  options: Abortable,
): Promise<AllWindows> {
  const pace = await market.chainPace(options);
  const windows = postedWindows(file, { pace }, bundleBytes);
  refuseOwn(refuseOwnWindows(windows, file.verification.mode, { pace }, { ...file.resources, bundleBytes }));
  return windows;
}

function termsOf(
  { account }: RoleContext,
  file: JobFile,
  { spec, outline, provider }: Plan,
  drawn: Pick<Terms, "bundleRoot" | "secretHash"> & { now: number; windows: AllWindows },
): Terms {
  // Keep the run window that the price was fixed for; it does not depend on the bundle.
  const { accept, ...windows } = drawn.windows;
  const { token, price, validatorFee, providerStake, validatorStake, validators, effort, stop } = outline;
  return {
    requester: account,
    provider: provider.account,
    ...{ token, price, validatorFee, providerStake, validatorStake, validators, effort, stop },
    ...ruleOf(file.verification),
    acceptBy: drawn.now + accept,
    windows: { ...windows, run: outline.windows.run },
    specHash: specHash(spec),
    bundleRoot: drawn.bundleRoot,
    secretHash: drawn.secretHash,
  };
}
