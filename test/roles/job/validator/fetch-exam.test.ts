import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { keccak256 } from "ethers";
import { openExam } from "../../../../src/roles/job/validator/fetch-exam.ts";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { makeTree, newKeyring, scratch } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(60_000) };

test("a validator opens the exam that the spec names, and no other", async (t) => {
  const folder = await scratch(t);
  const parcels = createParcels({ keyring: await newKeyring() });
  const pack = async (name: string) => {
    const root = await makeTree(folder, { "test.json": name }, name);
    const { blob, sessionKey: key } = await parcels.pack({
      root,
      paths: ["test.json"],
      out: join(folder, `${name}.parcel`),
    });
    return { blob, key };
  };
  const [posted, swapped] = [await pack("posted"), await pack("swapped")];
  const spec = { exam: { root: posted.blob.root, keyHash: keccak256(posted.key), bytes: posted.blob.size } };
  const open = (exam: typeof posted | null) => {
    const request = { exam, spec, input: folder, maxBytes: 1 << 20 };
    type Args = Parameters<typeof openExam>;
    return openExam(...([{ parcels }, request, waits] as unknown as Args));
  };
  for (const [what, exam] of Object.entries({
    "none at all": null,
    "another exam": swapped,
    "another exam under the posted key": { ...swapped, key: posted.key },
    "the posted one with another key": { ...posted, key: random32() },
    "another exam under the posted root": { ...posted, blob: { ...swapped.blob, root: posted.blob.root } },
  })) {
    assert.equal(await open(exam), false, what);
    assert.equal(existsSync(join(folder, "exam")), false, what);
  }
  assert.equal(await open(posted), true);
  assert.equal(await readFile(join(folder, "exam", "test.json"), "utf8"), "posted");
});
