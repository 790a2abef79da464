import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { JobId } from "../../../../src/protocol/ids.ts";
import { MAX_KEPT } from "../../../../src/protocol/parcel/kept.ts";
import { decodeLocator } from "../../../../src/protocol/parcel/locator.ts";
import { type Policy, policySchema } from "../../../../src/protocol/policy/policy.ts";
import { bundleBlobs, draftOf } from "../../../../src/roles/job/requester/posting/draft.ts";
import { hostBundle } from "../../../../src/roles/job/requester/posting/host-bundle.ts";
import { type Bundle, fetchBundle } from "../../../../src/roles/task/fetch-bundle.ts";
import { holdKept, type KeptRequest, openKept } from "../../../../src/roles/task/kept/kept-inputs.ts";
import { type Actor, newJob, startParties } from "../../../support/market/parties.ts";
import { code, makeTree, scratch } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const rule = policySchema.parse({}).keep;
const MIB = 2 ** 20;
const data = { "data/rows.bin": randomBytes(3 * MIB), "data/more/small.bin": randomBytes(1000) };
const inputs = ["train.py", { path: "data", keep: "7d" }];

/** A requester and a provider that counts what it fetches, bytes of ciphertext. */
async function parties(test: TestContext) {
  const { requester, provider } = await startParties(test);
  const fetched: number[] = [];
  const { transport } = provider;
  const counting: Actor = {
    ...provider,
    transport: {
      ...transport,
      async fetch(request, options) {
        const blob = await transport.fetch(request, options);
        fetched.push(blob.size);
        return blob;
      },
    },
  };
  return {
    ...{ requester, provider: counting },
    /** Sizes of what was fetched since the last call. */
    taken: () => fetched.splice(0),
  };
}

const draftIn = ({ journal }: Actor, id: JobId) => draftOf(journal.open("requester", id))!;

/** Posts a job with these files and fetches its bundle, as a provider does; what it keeps is held where it says so. */
async function fetchJob(
  { requester, provider }: { requester: Actor; provider: Actor },
  files: Record<string, string | Uint8Array>,
  keep: Policy["keep"] | undefined = rule,
): Promise<{ bundle: Bundle; id: JobId }> {
  const id = await newJob(requester, provider, { file: { inputs }, files });
  const draft = draftIn(requester, id);
  await using hosted = hostBundle(requester, draft, waits);
  await hosted.serve(bundleBlobs(draft), async () => undefined);
  const job = await provider.market.job(id, waits);
  const locator = decodeLocator(await provider.keyring.unseal(job.sealedBundle), "bundle");
  const journal = provider.journal.open("provider", id);
  const bundle = await fetchBundle(provider, journal, { job, locator, maxBytes: 10 * MIB }, waits);
  if (keep) await holdKept(provider, job, bundle.kept, { keep });
  return { bundle, id };
}

async function inputOf({ input }: Bundle): Promise<Record<string, Buffer>> {
  const paths = ["train.py", ...Object.keys(data)];
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(input, path))])),
  );
}

const heldIn = async ({ jobsDir }: Actor) =>
  (await readdir(join(jobsDir, "kept")).catch(() => [])).filter((name) => name.endsWith(".parcel"));

test("the next job with the same input fetches only the rest", async (t) => {
  const { taken, ...both } = await parties(t);
  const first = await fetchJob(both, { "train.py": "one", ...data });
  const [bundle, kept] = taken() as [number, number];
  assert.ok(bundle < 10_000 && kept > 3 * MIB, `${bundle} and ${kept} bytes`);
  assert.deepEqual(await inputOf(first.bundle), { "train.py": Buffer.from("one"), ...data });

  const second = await fetchJob(both, { "train.py": "two", ...data });
  const again = taken();
  assert.ok(again.length === 1 && again[0]! < 10_000, `${again} bytes`);
  assert.deepEqual(await inputOf(second.bundle), { "train.py": Buffer.from("two"), ...data });
  assert.equal(second.bundle.spec.kept?.[0]?.root, first.bundle.spec.kept?.[0]?.root);
  assert.notEqual(
    draftIn(both.requester, first.id).bundleKey,
    draftIn(both.requester, second.id).bundleKey,
    "the rest has a key of its own",
  );

  const changed = await fetchJob(both, { "train.py": "two", ...data, "data/more/small.bin": "x" });
  assert.ok(taken().length === 2, "other content is another parcel");
  assert.notEqual(changed.bundle.spec.kept?.[0]?.root, first.bundle.spec.kept?.[0]?.root);
});

test("a program is kept as one, and becomes another parcel when it is no program any more", async (t) => {
  const { taken, ...both } = await parties(t);
  const files = { "train.py": "x", "data/tool": "#!/bin/sh\n" };
  const rootOf = async () => (await fetchJob(both, files)).bundle;
  const plain = await rootOf();
  await chmod(join(both.requester.home, "in-1000", "data", "tool"), 0o755);
  const program = await rootOf();
  assert.notEqual(program.spec.kept?.[0]?.root, plain.spec.kept?.[0]?.root);
  assert.equal((await stat(join(program.input, "data", "tool"))).mode & 0o100, 0o100);
  assert.equal(taken().length, 4);
});

test("what is held and spoilt, over its time or beyond the policy is fetched again", async (t) => {
  const { taken, ...both } = await parties(t);
  const files = { "train.py": "x", ...data };
  await fetchJob(both, files);
  const [name] = await heldIn(both.provider);
  const path = join(both.provider.jobsDir, "kept", name!);
  assert.equal((await stat(path)).mode & 0o077, 0, "for its owner alone");
  const times = async () => {
    taken();
    await fetchJob(both, files);
    return taken().length;
  };
  assert.equal(await times(), 1);

  const spoilt = await readFile(path);
  spoilt[2 * MIB]! ^= 1;
  await writeFile(path, spoilt);
  assert.equal(await times(), 2);
  assert.equal(await times(), 1, "held again, whole");

  const record = path.replace(/parcel$/, "json");
  const held = JSON.parse(await readFile(record, "utf8")) as { until: number };
  assert.ok(held.until <= Date.now() / 1000 + rule.maxAge);
  await writeFile(record, JSON.stringify({ ...held, until: 1 }));
  assert.equal(await times(), 2);
  await writeFile(record, "{");
  assert.equal(await times(), 2);

  const { bundle, id } = await fetchJob(both, files, { maxBytes: MIB, maxAge: 3600 });
  assert.deepEqual(await heldIn(both.provider), [], "larger than the policy keeps");
  assert.ok(existsSync(bundle.kept![0]!.blob.path), "the job has it all the same");
  const job = await both.provider.market.job(id, waits);
  await holdKept(both.provider, job, bundle.kept, { keep: { maxBytes: 0, maxAge: 3600 } });
  assert.deepEqual(await heldIn(both.provider), []);
});

test("a requester finds nothing that is held for another, and lies about its parts are refused", async (t) => {
  const { taken, ...both } = await parties(t);
  const { requester, provider } = both;
  const { bundle, id } = await fetchJob(both, { "train.py": "x", ...data });
  const [part] = bundle.spec.kept!;
  const draft = draftIn(requester, id);
  const { endpoint } = draft.identity;
  await using hosted = hostBundle(requester, draft, waits);
  await hosted.serve([draft.bundle], async () => undefined); // without the part
  const dir = await scratch(t);
  const request = {
    ...{ parts: [part!], requester: requester.account, author: bundle.requester.fingerprint, endpoint },
    ...{ dir, input: join(dir, "in"), maxBytes: 10 * MIB },
  };
  const open = (change: Partial<KeptRequest>) => openKept(provider, { ...request, ...change }, waits);
  taken();
  assert.equal((await open({})).length, 1);
  assert.deepEqual(taken(), []);
  const absent = code("TRANSFER_NOT_HOSTED");
  await assert.rejects(
    open({ requester: provider.account, dir: join(dir, "other"), input: join(dir, "b") }),
    absent,
  );
  await assert.rejects(open({}), absent, "its files are there already; the parcel counts as spoilt");
  assert.deepEqual(await heldIn(provider), []);

  await hosted.serve(bundleBlobs(draft), async () => undefined);
  const occupied = await makeTree(dir, { "data/rows.bin": "mine" }, "occupied");
  for (const [what, change, wanted] of [
    ["a shorter one", { parts: [{ ...part!, bytes: MIB }] }, "TRANSFER_TOO_LARGE"],
    ["a longer one", { parts: [{ ...part!, bytes: part!.bytes + 1 }] }, "KEPT_MISMATCH"],
    ["another root", { parts: [{ ...part!, root: draft.mask }] }, "TRANSFER_NOT_HOSTED"],
    ["another key", { parts: [{ ...part!, key: draft.mask }] }, "PARCEL_CORRUPT"],
    ["another author", { author: provider.keyring.publicKeys.fingerprint }, "PARCEL_UNTRUSTED"],
    ["a file that is there", { input: occupied }, "KEPT_MISMATCH"],
    ["more than is allowed", { maxBytes: part!.bytes - 1 }, "PARCEL_TOO_LARGE"],
    ["all of it, often", { parts: Array(MAX_KEPT).fill(part!) }, "PARCEL_TOO_LARGE"],
  ] as const)
    await assert.rejects(open({ input: join(dir, "fresh"), ...change }), code(wanted), what);
  assert.equal(await readFile(join(occupied, "data", "rows.bin"), "utf8"), "mine");
});
