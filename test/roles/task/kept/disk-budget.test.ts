import assert from "node:assert/strict";
import { link, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bytesBelow, openDiskBudget } from "../../../../src/roles/task/kept/disk-budget.ts";
import { heldParcels } from "../../../../src/roles/task/kept/held-parcels.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { scratch } from "../../../support/parcel/parcels.ts";

const MIB = 2 ** 20;
const DAY = 86_400;

/** A home of 1 MiB and three kept inputs of 1 MiB, the newest of which a job uses too. */
async function home(t: TestContext) {
  const dir = await scratch(t);
  const jobsDir = join(dir, "jobs");
  await mkdir(join(jobsDir, "provider"), { recursive: true });
  await writeFile(join(dir, "data"), Buffer.alloc(MIB, 1));
  let clock = 1_800_000_000;
  const held = heldParcels(join(jobsDir, "kept"), () => ++clock);
  for (const name of ["a", "b", "c"]) {
    const path = join(jobsDir, "provider", name);
    await writeFile(path, Buffer.alloc(MIB, 2));
    await held.hold(name, { path, size: MIB, root: random32() }, clock + 400 * DAY);
    if (name !== "c") await rm(path);
  }
  return { dir, jobsDir };
}

const isHeld = async (jobsDir: string) => {
  const there = ["a", "b", "c"].map((name) =>
    stat(join(jobsDir, "kept", `${name}.parcel`)).then(
      () => name,
      () => "",
    ),
  );
  return (await Promise.all(there)).join("");
};

/** The sum without what folders and records take. */
const mebibytes = (bytes: number) => Math.floor(bytes / MIB);

test("a home holds what its files take of the disk, each file once, and nothing that a link leads to", async (t) => {
  const { dir } = await home(t);
  assert.equal(mebibytes(await bytesBelow(dir)), 4);
  await link(join(dir, "data"), join(dir, "second-name"));
  await symlink("/usr", join(dir, "elsewhere"));
  assert.equal(mebibytes(await bytesBelow(dir)), 4);
});

test("kept inputs go before a job is declined, as many as need be and the longest unused first", async (t) => {
  const { dir, jobsDir } = await home(t);
  const budget = openDiskBudget({ home: dir, jobsDir, limit: 5 * MIB });
  assert.equal(await budget.refuse(MIB / 2), undefined);
  assert.equal(await isHeld(jobsDir), "abc");
  assert.equal(await budget.refuse(1.5 * MIB), undefined);
  assert.equal(await isHeld(jobsDir), "bc");
  assert.equal(mebibytes(await budget.held()), 3);
  // The job that uses the last one keeps its own name of it: nothing more can be freed.
  const refused = await budget.refuse(4 * MIB);
  assert.equal(refused?.code, "DISK_BUDGET");
  assert.equal(await isHeld(jobsDir), "");
  assert.equal(mebibytes(await bytesBelow(dir)), 2);
});
