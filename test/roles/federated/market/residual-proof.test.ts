import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Wallet } from "ethers";
import { openJournal } from "../../../../src/journal/journal.ts";
import { updateDigest } from "../../../../src/protocol/federated/digest.ts";
import { recordHash, signRecord, type Upload } from "../../../../src/protocol/federated/ledger/record.ts";
import type { FederatedJob } from "../../../../src/protocol/federated/market/job.ts";
import type { FederatedSpec } from "../../../../src/protocol/federated/market/spec.ts";
import type { ReplayFinding } from "../../../../src/protocol/federated/replay.ts";
import { Vector } from "../../../../src/protocol/federated/vector.ts";
import type { Address } from "../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../src/roles/context.ts";
import { encode } from "../../../../src/roles/federated/encode.ts";
import {
  keepInputs,
  keepResidual,
  keptResiduals,
  sentBefore,
  tellsRoundBefore,
} from "../../../../src/roles/federated/market/provider/made-update.ts";
import type { FederatedDraft } from "../../../../src/roles/federated/market/requester/draft.ts";
import { closeBooks } from "../../../../src/roles/federated/market/requester/round/books.ts";
import {
  openResiduals,
  packResiduals,
  residualsIn,
  type SentBefore,
} from "../../../../src/roles/federated/market/residual-proof.ts";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { newKeyring, scratch } from "../../../support/parcel/parcels.ts";

const length = 500;
const id = random32();
const lead = Wallet.createRandom();
const account = Wallet.createRandom().address as Address;
const domain = { chainId: 1, escrow: `0x${"33".repeat(20)}` as const, job: id };
const update = { topk: 0.1 };
const draft = {
  file: { federated: { share: "gated", strategy: "fedavg" } },
  terms: { roundPrice: 1000n, requester: lead.address, seatFee: 0n },
} as unknown as FederatedDraft;

const changeOf = (seed: number) => Float64Array.from({ length }, (_, i) => Math.sin(i * seed + seed) / 10);
const first = encode(changeOf(1), update);
const upload: Upload = {
  ...{ round: 1, provider: account.toLowerCase() as Address, parent: random32(), data: random32() },
  ...{ update: updateDigest(createHash("sha256"), [first.bytes]), location: random32() },
  ...{ finishedAt: 1, seconds: 1 },
};

/** Round 1 as it was closed: whether the provider's update counts in it, and what a replay found. */
function closed(counts: boolean, audit?: ReplayFinding) {
  const { closing, lines } = closeBooks(domain, draft, {
    lead: lead.address.toLowerCase() as Address,
    sign: (hash) => signRecord(lead.signingKey, hash),
    ...{ round: 1, earned: [], previous: random32(), parent: upload.parent, model: random32() },
    uploads: counts ? [{ upload, signature: `0x${"00".repeat(65)}` }] : [],
    members: [{ account, rows: 10 }],
    aggregated: {
      ...{ digest: random32(), memory: {}, before: undefined },
      members: [{ account, accuracy: 1, weight: 10, taken: true, ...(audit && { audit }) }],
    },
    ...{ times: { finishedAt: 1, seconds: 1 }, bytes: new Map() },
  });
  return { job: { closings: [{ closing }] } as unknown as FederatedJob, line: lines.at(-1)! };
}

/** What the provider shows for round 2, opened; and what is found in it. */
async function shown(
  t: TestContext,
  { job, line }: ReturnType<typeof closed>,
  before: SentBefore | undefined,
  round = 2,
) {
  const dir = await scratch(t);
  const { bytes, residual } = encode(changeOf(2), update, before?.residual);
  const context = { parcels: createParcels({ keyring: await newKeyring() }) };
  const { signal } = t;
  const packed = await packResiduals(
    context,
    join(dir, "packed"),
    { line, before, after: residual! },
    { signal },
  );
  const folder = join(dir, "opened");
  await openResiduals(context, { ...packed, folder, length }, { signal });
  const read = (sent = bytes) => residualsIn(folder, { job, round, domain, account, sent, length });
  return { folder, bytes, read };
}

const units = (vector: Vector | undefined) => vector && [...vector.units];
const sentFirst: SentBefore = { upload, bytes: first.bytes, residual: first.residual! };

test("an update of the first round begins with nothing, and so does one after a round that did not count it", async (t) => {
  const alone = await shown(t, closed(true), undefined, 1);
  assert.equal((await alone.read())?.before, undefined);
  assert.ok((await alone.read())?.after);
  for (const missing of [closed(false), closed(true, "withheld"), closed(true, "proven")]) {
    const { read } = await shown(t, missing, undefined);
    const residuals = await read();
    assert.ok(residuals);
    assert.equal(residuals.before, undefined);
  }
});

test("an update begins with what the one before left, where the ledger counts that", async (t) => {
  for (const audit of [undefined, "clean"] as const) {
    const { read } = await shown(t, closed(true, audit), sentFirst);
    assert.deepEqual(units((await read())?.before), units(first.residual));
  }
});

test("a provider that begins with something else shows nothing", async (t) => {
  const counted = closed(true);
  assert.equal(await (await shown(t, counted, undefined)).read(), undefined, "with nothing");
  const other = encode(changeOf(3), update);
  const made = { ...sentFirst, residual: other.residual! };
  assert.equal(await (await shown(t, counted, made)).read(), undefined, "with another residual");
  const forged = { ...sentFirst, bytes: other.bytes, residual: other.residual! };
  assert.equal(await (await shown(t, counted, forged)).read(), undefined, "of another update");
  const digest = updateDigest(createHash("sha256"), [other.bytes]);
  const signed = { ...forged, upload: { ...upload, update: digest } };
  assert.equal(await (await shown(t, counted, signed)).read(), undefined, "of another upload");
  const elsewhere = { ...counted, line: closed(true).line };
  assert.equal(await (await shown(t, elsewhere, sentFirst)).read(), undefined, "by another ledger");
  const { read } = await shown(t, counted, sentFirst);
  assert.equal(await read(other.bytes), undefined, "for another update than it sent");
  assert.notEqual(recordHash(signed.upload, domain), recordHash(upload, domain));
});

test("what is shown is read within bounds, and a bit of it that is another is seen", async (t) => {
  const { folder, read } = await shown(t, closed(true), sentFirst);
  assert.ok(await read());
  for (const name of ["after.vector", "before.vector", "before.bin", "told.json"]) {
    const path = join(folder, name);
    const held = await readFile(path);
    const changed = Buffer.from(held);
    changed[Math.floor(held.length / 2)]! ^= 1;
    await writeFile(path, changed);
    assert.equal(await read(), undefined, `a bit of ${name}`);
    await writeFile(path, held);
    await truncate(path, held.length - 1);
    assert.equal(await read(), undefined, `a shorter ${name}`);
    await writeFile(path, Buffer.concat([held, Buffer.alloc(200_000, 0x20)]));
    const longer = await read();
    // Spaces after JSON mean nothing, but for the bound of its length.
    assert.equal(longer, undefined, `a longer ${name}`);
    await rm(path);
    assert.equal(await read(), undefined, `no ${name}`);
    await writeFile(path, held);
  }
  assert.ok(await read());
});

test("a provider begins with what it kept of the round before, also after a restart, if the ledger counts that", async (t) => {
  const dir = await scratch(t);
  const opened = openJournal(join(dir, "journal.db"));
  t.after(() => opened.close());
  const context = { account, market: { ledgerDomainOf: () => domain } } as unknown as WorkerContext;
  const spec = { federated: { parameters: length } } as unknown as FederatedSpec;
  const model = { layout: [{ name: "w", shape: [length] }], vector: new Vector(length) };
  await keepResidual(dir, 1, first.residual!);
  await keepInputs(dir, { round: 1, model, update: first.bytes });
  const made = { message: { upload }, carried: false };
  const step = { prepare: () => null, act: () => made };
  await opened.open("federated-provider", id).step("update-1", step);
  const begins = ({ job, line }: ReturnType<typeof closed>) => {
    const journal = opened.open("federated-provider", id);
    return sentBefore(context, journal, { job, round: 2, line, spec, dir });
  };
  const counted = closed(true);
  assert.deepEqual(units((await begins(counted))?.residual), units(first.residual));
  assert.deepEqual((await begins(counted))?.upload, upload);
  for (const other of [closed(false), closed(true, "withheld"), { ...counted, line: closed(true).line }])
    assert.equal(await begins(other), undefined);
  assert.deepEqual(units(keptResiduals(dir, 1, { carried: false, length })?.after), units(first.residual));
  assert.equal(keptResiduals(dir, 1, { carried: true, length }), undefined);
  assert.ok(tellsRoundBefore(context, { job: counted.job, round: 2 }, ["", counted.line]));
  assert.ok(!tellsRoundBefore(context, { job: counted.job, round: 2 }, [closed(true).line]));
  assert.ok(!tellsRoundBefore(context, { job: counted.job, round: 2 }, []));
  // Its files are gone: it begins with nothing, which counts nothing if it is replayed.
  await rm(join(dir, "residual-1"));
  assert.equal(await begins(counted), undefined);
});
