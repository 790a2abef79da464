import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { test } from "node:test";
import { keepInput } from "../../../../../src/roles/job/requester/posting/keep-input.ts";
import { createParcels } from "../../../../../src/transfer/parcel/parcels.ts";
import { temporaryFolder } from "../../../../support/binary.ts";
import { newKeyring } from "../../../../support/parcel/parcels.ts";

const signal = AbortSignal.timeout(60_000);

test("a kept input is sealed once, and again when its copy was damaged on the disk", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.join("data"));
  writeFileSync(folder.join("data", "rows"), Buffer.alloc(100_000, 7));
  const keyring = await newKeyring();
  const context = {
    parcels: createParcels({ keyring }),
    keyring,
    jobsDir: folder.join("jobs"),
  };
  const keep = async (out: string) => {
    mkdirSync(folder.join(out));
    const place = { folder: folder.path, out: folder.join(out, "kept.parcel") };
    const { blob } = await keepInput(context, { path: "data", keep: 3600 }, place, { signal });
    assert.ok(await context.parcels.isWhole(blob), "what is hosted is whole");
    return blob.root;
  };
  const first = await keep("first");
  assert.equal(await keep("second"), first);

  const own = folder.join("jobs", "kept-own");
  const name = readdirSync(own).find((one) => one.endsWith(".parcel"));
  const file = openSync(`${own}/${name}`, "r+");
  writeSync(file, Buffer.from("?"), 0, 1, 5000);
  closeSync(file);
  const again = await keep("third");
  assert.notEqual(again, first);
  assert.equal(await keep("fourth"), again);
});
