import { once } from "node:events";
import { existsSync, readFileSync, watch } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { openRole } from "../../../src/compose.ts";
import { loadConfig } from "../../../src/config.ts";
import { asOwnerOf, type Home } from "../../../src/devnet/homes.ts";
import type { Blob } from "../../../src/ports/transport.ts";
import type { Address, JobId } from "../../../src/protocol/ids.ts";
import { maskHash } from "../../../src/protocol/job/exchange.ts";
import { secretHash, seedTip } from "../../../src/protocol/job/seeds.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { stakesOf } from "../../../src/protocol/policy/money.ts";
import { type Spec, specHash, specSchema } from "../../../src/protocol/task/spec.ts";
import type { RoleContext } from "../../../src/roles/context.ts";
import { type Draft, recordDraft } from "../../../src/roles/job/requester/posting/draft.ts";
import { jobFolder } from "../../../src/roles/shared/job-folder.ts";
import { partyOf } from "../../../src/roles/shared/party.ts";
import { createUi } from "../../../src/ui/create.ts";
import { random32, someTerms } from "../chain/terms.ts";
import { makeTree } from "../parcel/parcels.ts";
import type { TestMarket } from "./market.ts";

export const COIN = 10n ** 18n;
export const waits = { signal: AbortSignal.timeout(280_000) };

/** Writes what it is asked for, and measures it as good. */
const HONEST_TASK =
  'import sys\nif sys.argv[1] == "0": open("/out/model", "w").write("x")\nprint("acc: 1.0")\n';

/** A party of the devnet in a test's hands: its wallet, keys and transport, with none of the client's checks. */
export async function takeInHand(home: Home): Promise<RoleContext & AsyncDisposable> {
  const config = await loadConfig({ env: asOwnerOf(home) });
  const ui = await createUi({ json: true, quiet: true, ci: true });
  return openRole({ config, ui, signal: waits.signal });
}

export interface ByHand {
  readonly provider: Address;
  readonly validators?: readonly Address[];
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly spec?: Partial<Spec>;
  readonly terms?: (fair: Terms) => Partial<Terms>;
  /** What the locator says of the bundle's size. */
  readonly bundleBytes?: number;
}

/** Packs and records a job as `submit` does, with whatever terms and spec; `post` and `carry` take it from there. */
export async function draftByHand(
  context: RoleContext,
  job: ByHand,
): Promise<{ id: JobId; draft: Draft; blob: Blob }> {
  const { market, parcels, transport, account, jobsDir } = context;
  const { provider, validators = [], files = { "task.py": HONEST_TASK } } = job;
  const { details } = (await market.offer(provider, waits))!;
  const spec = specSchema.parse({
    version: 1,
    name: "by-hand",
    image: details.images[0]!.digest,
    command: ["python3", "task.py"],
    outputs: ["model"],
    resources: { cpus: 1, memory: 1 << 28, disk: 1 << 20, time: 60, gpus: 0 },
    verification: { threshold: 0.5, validators: validators.length },
    tier: "runc",
    ...job.spec,
  });
  const folder = join(jobsDir, `by-hand-${random32()}`);
  const packed = await parcels.pack(
    {
      root: await makeTree(folder, files),
      paths: Object.keys(files),
      out: join(folder, "parcel"),
      note: spec,
    },
    waits,
  );
  const [mask, seedSecret] = [random32(), random32()];
  const money = { price: COIN / 10n, validatorFee: COIN / 1000n, validators: validators.length };
  const fair = someTerms(account, provider, {
    ...money,
    ...stakesOf(money, await market.poolStake(waits)),
    mode: spec.verification.mode,
    tolerance: 1_000_000n,
    threshold: 500_000_000n,
    acceptBy: (await market.now(waits)) + 3600,
    windows: { run: 900, appoint: 900, commit: 3600, reveal: 900, claim: 900, challenge: 900, appeal: 900 },
    specHash: specHash(spec),
    bundleRoot: packed.blob.root,
    secretHash: secretHash(maskHash(mask), seedTip(seedSecret)),
  });
  const terms = { ...fair, ...job.terms?.(fair) };
  const id = market.jobIdOf(terms);
  await mkdir(jobFolder(jobsDir, "requester", id).dir, { recursive: true });
  const draft: Draft = {
    spec,
    terms,
    provider: await partyOf(context, provider, waits),
    validators: await Promise.all(validators.map((one) => partyOf(context, one, waits))),
    bundle: { ...packed.blob, size: job.bundleBytes ?? packed.blob.size },
    bundleKey: packed.sessionKey,
    mask,
    seedSecret,
    identity: await transport.newIdentity(),
    audit: { streak: 0, probability: 1, chance: 0, validated: true },
  };
  await recordDraft(context.journal.open("requester", id), draft);
  return { id, draft, blob: packed.blob };
}

/** A job.yaml in a folder of its own, with its task. */
export async function jobFile(
  { dir }: TestMarket,
  name: string,
  { task = HONEST_TASK, ...more }: { task?: string } & Record<string, unknown> = {},
): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "task.py"), task);
  const job = {
    version: 1,
    name,
    image: "python-ml",
    command: ["python3", "task.py"],
    inputs: ["task.py"],
    outputs: ["model"],
    resources: { memory: "256 MiB", disk: "1 MiB", time: "1m" },
    verification: { threshold: 0.5 },
    ...more,
  };
  const path = join(folder, "job.yaml");
  await writeFile(path, stringify(job));
  return path;
}

/** What an actor of the devnet says from now on. */
export function listen({ dir }: TestMarket, actor: string) {
  const file = join(dir, `${actor}.log`);
  let from = readFileSync(file, "utf8").length;
  return {
    /** Resolves once it has said this, after what was waited for before. */
    said: (pattern: RegExp) =>
      changed(file, () => {
        const found = pattern.exec(readFileSync(file, "utf8").slice(from));
        if (found) from += found.index + found[0].length;
        return found !== null;
      }),
  };
}

/** Resolves once this actor has removed what it had of a job, the last thing that it does of one. */
export async function removed({ dir }: Home, role: "provider" | "validator", id: JobId): Promise<void> {
  const folder = jobFolder(join(dir, "jobs"), role, id).dir;
  if (existsSync(folder)) await changed(dirname(folder), () => !existsSync(folder));
}

/** Resolves once `holds`, looked at whenever something changes at `path`. */
async function changed(path: string, holds: () => boolean): Promise<void> {
  const watcher = watch(path);
  try {
    for (;;) {
      const change = once(watcher, "change", waits);
      change.catch(() => undefined);
      if (holds()) return;
      await change;
    }
  } finally {
    watcher.close();
  }
}
