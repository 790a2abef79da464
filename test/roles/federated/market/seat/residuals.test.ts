import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { IchainError } from "../../../../../src/errors/error.ts";
import { openJournal } from "../../../../../src/journal/journal.ts";
import type { Blob, FetchRequest, Hosting } from "../../../../../src/ports/transport.ts";
import type { FederatedJob } from "../../../../../src/protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../../src/protocol/federated/market/messages.ts";
import type { FederatedSpec } from "../../../../../src/protocol/federated/market/spec.ts";
import type { Address } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import { encode } from "../../../../../src/roles/federated/encode.ts";
import type { Channel } from "../../../../../src/roles/federated/market/channel.ts";
import type { Lead } from "../../../../../src/roles/federated/market/provider/leads.ts";
import { packResiduals } from "../../../../../src/roles/federated/market/residual-proof.ts";
import { residualsAtSeat } from "../../../../../src/roles/federated/market/seat/residuals.ts";
import { createParcels } from "../../../../../src/transfer/parcel/parcels.ts";
import { random32 } from "../../../../support/chain/terms.ts";
import { newKeyring, scratch } from "../../../../support/parcel/parcels.ts";

const length = 300;
const account = `0x${"11".repeat(20)}` as Address;
const id = random32();
const job = { id, closings: [] } as unknown as FederatedJob;
const spec = { federated: { parameters: length } } as unknown as FederatedSpec;
const { bytes, residual } = encode(
  Float64Array.from({ length }, (_, i) => Math.sin(i)),
  { topk: 0.1 },
);

/** A seat with the provider's update of round 1; `serves` says at which addresses its residuals are. */
async function seat(t: TestContext, serves: readonly string[], after = residual!) {
  const dir = await scratch(t);
  const parcels = createParcels({ keyring: await newKeyring() });
  const { signal } = t;
  const packed = await packResiduals(
    { parcels },
    join(dir, "packed"),
    { line: undefined, before: undefined, after },
    { signal },
  );
  const asked: string[] = [];
  const hosted: Blob[] = [];
  const transport = {
    fetch: async ({ endpoint, path, root }: FetchRequest) => {
      asked.push(endpoint.address);
      if (!serves.includes(endpoint.address))
        throw new IchainError("HOST_UNREACHABLE", "It does not answer.");
      await copyFile(packed.blob.path, path);
      return { path, root, size: packed.blob.size };
    },
  };
  const market = { ledgerDomainOf: () => ({ chainId: 1, escrow: `0x${"33".repeat(20)}`, job: id }) };
  const reporter = { emit: () => undefined };
  const context = { market, transport, parcels, reporter } as unknown as WorkerContext;
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => journal.close());
  const path = join(dir, "update-1-11", "update.bin");
  await mkdir(dirname(path));
  await writeFile(path, bytes);
  const hosting = { add: async (blob: Blob) => void hosted.push(blob) } as unknown as Hosting;
  const peers = [{ endpoint: { transport: "direct", address: "peer" } } as unknown as Lead];
  const { root } = packed.blob;
  const message = {
    ...{ transport: "direct", address: "provider" },
    residuals: { root, key: packed.key, bytes: packed.blob.size },
  } as unknown as UpdateMessage;
  const channel = { token: () => "token" } as unknown as Channel;
  const place = { draft: { spec } };
  const at = residualsAtSeat(
    context,
    journal.open("federated-validator", id),
    { job, round: 1, place },
    {
      ...{ hosting, peers },
    },
  );
  const show = (one: UpdateMessage = message) => at(account, channel, one, path)({ signal });
  return { show, asked, hosted, message };
}

test("a seat fetches residuals of their provider once, and hosts them for the other seats", async (t) => {
  const { show, asked, hosted, message } = await seat(t, ["provider"]);
  for (let i = 0; i < 2; i++) assert.deepEqual((await show())?.after.units, residual!.units);
  assert.deepEqual(asked, ["provider"]);
  assert.deepEqual(
    hosted.map(({ root }) => root),
    [message.residuals!.root],
  );
});

test("of a provider that shows them to another seat alone they come from that one", async (t) => {
  const { show, asked } = await seat(t, ["peer"]);
  assert.ok(await show());
  assert.deepEqual(asked, ["provider", "peer"]);
});

test("residuals that do not come, fit nothing, or are not named at all are withheld", async (t) => {
  const away = await seat(t, []);
  assert.equal(await away.show(), undefined);
  // Not for good: another seat may have them later.
  assert.equal(await away.show(), undefined);
  assert.deepEqual(away.asked, ["provider", "peer", "provider", "peer"]);
  const { residuals: _, ...unnamed } = away.message;
  assert.equal(await away.show(unnamed), undefined);
  const other = await seat(
    t,
    ["provider"],
    encode(new Float64Array(length).fill(1), { topk: 0.1 }).residual!,
  );
  assert.equal(await other.show(), undefined);
  assert.deepEqual(other.hosted, []);
});
