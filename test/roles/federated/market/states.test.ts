import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { isIchainError } from "../../../../src/errors/error.ts";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { FetchRequest } from "../../../../src/ports/transport.ts";
import { Vector } from "../../../../src/protocol/federated/vector.ts";
import { readVector, writeVector } from "../../../../src/roles/federated/aggregation/vector-file.ts";
import { emptyRoundFiles, leadFiles } from "../../../../src/roles/federated/market/requester/files.ts";
import { packStates, takeStates } from "../../../../src/roles/federated/market/seat/states.ts";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { temporaryFolder } from "../../../support/binary.ts";
import { newKeyring } from "../../../support/parcel/parcels.ts";

const signal = AbortSignal.timeout(60_000);
const parameters = 1000;

function placeAt(dir: string, strategy: string) {
  const federated = { strategy, settings: {} };
  return {
    files: leadFiles(dir),
    draft: { file: { federated }, spec: { federated: { parameters } } },
  } as never;
}

test("a seat that was away has the server's states from another, and refuses those of another length", async () => {
  using folder = temporaryFolder();
  const parcels = createParcels({ keyring: await newKeyring() });
  const journal = () => openJournal(":memory:").open("federated-validator", `0x${"11".repeat(32)}`);
  const [here, there] = [leadFiles(folder.join("here")), leadFiles(folder.join("there"))];
  await Promise.all([here, there].map(emptyRoundFiles));
  const place = (files: typeof here, strategy = "adam") => placeAt(files.dir, strategy);
  assert.equal(
    await packStates({ parcels }, journal(), place(here), 3, { signal }),
    undefined,
    "none are here",
  );
  const states = [0, 1].map((index) => {
    const vector = new Vector(parameters);
    for (let i = 0; i < parameters; i++) vector.units[i] = i * (index + 1) - 500;
    writeVector(here.state(3, index), vector);
    return vector;
  });
  const packed = await packStates({ parcels }, journal(), place(here), 3, { signal });
  assert.ok(packed);
  let served = packed;
  const parcel = () => ({ root: served.blob.root, key: served.key, bytes: served.blob.size });
  const transport = {
    fetch: async ({ path }: FetchRequest) => {
      copyFileSync(served.blob.path, path);
      return { ...served.blob, path };
    },
  };
  const from = [{ endpoint: {} }] as never;
  const context = { parcels, transport } as never;
  await takeStates(context, place(there), { round: 3, parcel: parcel(), from }, { signal });
  for (const [index, { units }] of states.entries())
    assert.deepEqual(readVector(there.state(3, index), parameters).units, units);

  assert.equal(await packStates({ parcels }, journal(), place(here, "fedavg"), 3, { signal }), undefined);
  writeFileSync(here.state(3, 1), Buffer.alloc(8));
  const short = await packStates({ parcels }, journal(), place(here), 3, { signal });
  served = short!;
  await assert.rejects(
    takeStates(context, place(there), { round: 3, parcel: parcel(), from }, { signal }),
    (error) => isIchainError(error, "FEDERATED_MESSAGE_INVALID"),
  );
});
