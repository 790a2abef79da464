import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob, HostIdentity } from "../../../../ports/transport.ts";
import { COIN, type TokenInfo } from "../../../../protocol/amounts.ts";
import { type Layout, modelDigest } from "../../../../protocol/federated/digest.ts";
import {
  type FederatedJobFile,
  filesOf,
  type JobRules,
  jobRulesSchema,
} from "../../../../protocol/federated/market/file.ts";
import { kitDigest } from "../../../../protocol/federated/market/seat-messages.ts";
import { type FederatedSpec, federatedSpecHash } from "../../../../protocol/federated/market/spec.ts";
import {
  type FederatedTerms,
  federatedPriceOf,
  seedHash,
} from "../../../../protocol/federated/market/terms.ts";
import { readModel } from "../../../../protocol/federated/model-file.ts";
import { priceRules } from "../../../../protocol/federated/pay/price.ts";
import { genesisDigest, genesisOf } from "../../../../protocol/gossip/genesis.ts";
import type { JobPool, PoolBlock } from "../../../../protocol/gossip/job-pool.ts";
import type { Address, Hex, JobId } from "../../../../protocol/ids.ts";
import type { Spec } from "../../../../protocol/task/spec.ts";
import { MAX_AMOUNT } from "../../../../protocol/token.ts";
import type { RoleContext } from "../../../context.ts";
import { refuseOverBudget } from "../../../job/requester/posting/budget.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { random32 } from "../../../shared/random.ts";
import { writeVector } from "../../aggregation/vector-file.ts";
import { leadDiskOf, requireLeadRoom } from "./disk.ts";
import { emptyRoundFiles, leadFiles } from "./files.ts";
import { classesOf, loadRows } from "./round/rows.ts";

/** What the party that aggregates a job's rounds knows of it: its requester, or a seat. */
export interface RoundBasis {
  readonly file: { readonly federated: JobRules };
  /** Folder of job.yaml, which the data files are beside. */
  readonly folder: string;
  readonly spec: FederatedSpec;
  readonly terms: FederatedTerms;
  readonly layout: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Of the deal of the rows, and of the task's random numbers. */
  readonly seed: Hex;
}

/** All that the requester fixes before it posts a federated job; a step of the journal. */
export interface FederatedDraft extends RoundBasis {
  readonly file: FederatedJobFile;
  readonly identity: HostIdentity;
  readonly bundle: Blob;
  readonly bundleKey: Hex;
  /** Accounts to invite. */
  readonly invited: readonly Address[];
  /** Of the draw of the seats; the terms have its hash. */
  readonly drawSeed: Hex;
  /** Of the keys of the models that seats make. */
  readonly mask: Hex;
}

/** Wei of the coin, which job files give to nine decimals. */
export function weiOf(coin: number): bigint {
  return BigInt(Math.round(coin * 1e9)) * 10n ** 9n;
}

/** An amount that is given in wei, in the smallest unit of a token that counts as much as the coin; rounded up. */
function tokenAmount(wei: bigint, token: TokenInfo): bigint {
  const [unit, per] = [10n ** BigInt(token.decimals), 10n ** BigInt(COIN.decimals)];
  return (wei * unit + per - 1n) / per;
}

/** What each of the job's validators is paid for a round, smallest unit of the token. */
export function seatFeeOf({ federated }: FederatedJobFile, token: TokenInfo): bigint {
  return tokenAmount(weiOf(federated.validators.fee), token);
}

/**
 * What the whole job pays its providers, smallest unit of the token: what its file says, or its rule.
 * @throws JOB_INVALID for an amount with more decimals than the token has, or beyond what the contract holds
 */
export function poolOf(
  { federated: { pool, local, rounds } }: FederatedJobFile,
  work: { readonly bytes: number; readonly rows: number; readonly parameters: number },
  token: TokenInfo,
): bigint {
  const isRule = typeof pool !== "number";
  const inTheCoin = isRule ? priceRules[pool].price({ ...work, epochs: local.epochs, rounds }) : weiOf(pool);
  const [unit, per] = [10n ** BigInt(token.decimals), 10n ** BigInt(COIN.decimals)];
  const amount = tokenAmount(inTheCoin, token);
  const problem =
    amount >= MAX_AMOUNT
      ? "is too large"
      : !isRule && amount * per !== inTheCoin * unit
        ? `has more than ${token.decimals} decimals`
        : undefined;
  if (problem === undefined) return amount;
  throw new IchainError("JOB_INVALID", `federated.pool: ${pool} ${token.symbol} ${problem}.`, {
    hint: `Write an amount with at most ${token.decimals} decimals, which is what the token has.`,
  });
}

/** Seconds of a round's window: that of the job file, or three runs and ten minutes. */
export function roundWindowOf({
  federated,
  resources,
}: Pick<FederatedJobFile, "federated" | "resources">): number {
  const { round, enlist } = federated.windows;
  // Half of the window is for peers to hand over what they have, which may be due long after the job has begun.
  const waits = federated.gossip ? 2 * (enlist + federated.gossip.period) : 0;
  return round ?? 3 * resources.time + 600 + waits;
}

/**
 * Packs the bundle, fixes the terms and records the draft; nothing leaves this machine.
 * @throws DATA_UNREADABLE, DATA_INVALID, MODEL_INVALID, BUDGET_EXCEEDED, DISK_TOO_FULL
 */
export async function draftFederated(
  context: RoleContext,
  {
    file,
    folder,
    image,
    invited,
    token,
  }: {
    readonly file: FederatedJobFile;
    readonly folder: string;
    readonly image: Spec["image"];
    readonly invited: readonly Address[];
    /** Pays the job. */
    readonly token: TokenInfo;
  },
  { signal }: Abortable,
): Promise<JobId> {
  const { market, parcels, transport, journal, reporter, jobsDir } = context;
  const { federated } = file;
  const model = readModel(await readFile(join(folder, federated.model)));
  const train = federated.train && (await loadRows(folder, federated.train));
  const open = federated.public && (await loadRows(folder, federated.public));
  const { version, name, command, resources, tier } = file;
  const {
    rounds,
    local,
    update,
    privacy,
    data: { own },
  } = federated;
  const parameters = model.vector.length;
  const seed = random32();
  const kit =
    federated.validators.count === 0
      ? undefined
      : kitDigest(rulesOf(federated), await parcels.digest(folder, filesOf(federated), { signal }), seed);
  const spec: FederatedSpec = {
    ...{ version, name, image, command, resources, tier },
    federated: {
      ...{ rounds, local, update, ...(privacy && { privacy }), ...(own && { own }), parameters },
      ...(federated.gossip && { gossip: poolOfNetwork(federated.gossip, federated.windows, model.layout) }),
      ...(open && { scores: { rows: open.labels.length, classes: classesOf(open) } }),
      start: modelDigest(createHash("sha256"), model.layout, model.vector),
      ...(kit && { kit }),
    },
  };
  await mkdir(jobsDir, { recursive: true, mode: 0o700 });
  await requireLeadRoom(jobsDir, leadDiskOf(file, parameters));
  const draftDir = await mkdtemp(join(jobsDir, ".draft-"));
  try {
    reporter.emit({ kind: "start", id: "pack", text: "Packing and encrypting the bundle" });
    const out = join(draftDir, "bundle.parcel");
    const packed = await parcels.pack({ root: folder, paths: file.inputs, out, note: spec }, { signal });
    reporter.emit({
      kind: "end",
      id: "pack",
      text: `Packed and encrypted the bundle (${packed.blob.size} bytes)`,
    });
    const drawSeed = random32();
    const pool = poolOf(
      file,
      { bytes: train?.bytes ?? 0, rows: train?.labels.length ?? 0, parameters },
      token,
    );
    const now = await market.now({ signal });
    const terms: FederatedTerms = {
      ...{
        requester: context.account,
        token: token.address,
        roundPrice: pool / BigInt(rounds),
        seatFee: seatFeeOf(file, token),
      },
      ...{ providerStake: weiOf(federated.deposit), seatStake: weiOf(federated.validators.deposit), rounds },
      ...{ least: federated.least ?? federated.providers, places: federated.providers },
      seats: federated.validators.count,
      enlistBy: now + federated.windows.enlist,
      ...{ roundWindow: roundWindowOf(file), disputeWindow: federated.windows.dispute },
      ...{ specHash: federatedSpecHash(spec), bundleRoot: packed.blob.root, seedHash: seedHash(drawSeed) },
      refunds: federated.onCheat === "refund",
    };
    const jobId = market.federatedJobIdOf(terms);
    // Drafts count from here on: of two at the same moment one sees the other.
    using _lock = await context.lockBudgets?.({ signal });
    refuseOverBudget(context, { locked: federatedPriceOf(terms), token });
    const home = jobFolder(jobsDir, "federated-requester", jobId);
    await mkdir(join(home.dir, ".."), { recursive: true, mode: 0o700 });
    await rename(draftDir, home.dir);
    const files = leadFiles(home.dir);
    await emptyRoundFiles(files);
    writeVector(files.model(1), model.vector);
    await writeFile(join(home.dir, "job.json"), `${JSON.stringify({ name, jobId })}\n`, { mode: 0o600 });
    const draft: FederatedDraft = {
      ...{ file, folder, spec, terms, layout: model.layout, invited },
      identity: await transport.newIdentity(),
      bundle: { ...packed.blob, path: home.bundle },
      bundleKey: packed.sessionKey,
      ...{ seed, drawSeed, mask: random32() },
    };
    const record = journal.open("federated-requester", jobId);
    await record.step("draft", { prepare: () => draft, act: (one) => one });
    return jobId;
  } catch (error) {
    await rm(draftDir, { recursive: true, force: true });
    throw error;
  }
}

/** What peers and validators of a pool agree to. */
function poolOfNetwork(
  { network, span, past, period, evidence }: PoolBlock,
  { enlist }: FederatedJobFile["federated"]["windows"],
  layout: Layout,
): JobPool {
  const genesis = genesisDigest(genesisOf(network, { layout }));
  return { network, genesis, span, length: past + enlist + period, period, evidence };
}

/** What the seats need of the job file. */
export function rulesOf(block: FederatedDraft["file"]["federated"]): JobRules {
  const known = new Set(Object.keys(jobRulesSchema.shape));
  return Object.fromEntries(Object.entries(block).filter(([name]) => known.has(name))) as JobRules;
}

/** The draft, which is all in the step's intent; undefined of an undertaking that never came to one. */
export function federatedDraftOf(journal: JobJournal): FederatedDraft | undefined {
  return journal.intent<FederatedDraft>("draft");
}
