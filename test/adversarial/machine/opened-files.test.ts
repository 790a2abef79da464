import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeReadable } from "../../../src/sandbox/run/make-readable.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { asNobody } from "../../support/nobody.ts";
import { makeTree, newKeyring, roomy, scratch } from "../../support/parcel/parcels.ts";
import { requireProgram, requireRoot } from "../../support/require.ts";

test("another local user can neither list nor read what a parcel was opened into", async (t) => {
  if (!requireRoot(t) || !requireProgram(t, "setpriv")) return;
  const before = process.umask(0o022);
  t.after(() => process.umask(before));
  const dir = await scratch(t);
  // As somebody's home is that others may look into.
  await chmod(dir, 0o755);
  const root = await makeTree(dir, {
    "sub/run.sh": "#!/bin/sh\necho ran\n",
    large: Buffer.alloc(3 << 20, 7),
  });
  await chmod(join(root, "sub/run.sh"), 0o755);
  const parcels = createParcels({ keyring: await newKeyring() });
  const packed = await parcels.pack({ root, paths: ["sub", "large"], out: join(dir, "blob") });
  const into = join(dir, "opened");
  await parcels.open({ ...packed, into, limits: roomy });

  const look = (...command: string[]) => asNobody(command);
  assert.notEqual((await look("ls", into)).code, 0);
  // And when its folder was made public, each file is still its owner's alone.
  await chmod(into, 0o755);
  assert.equal((await look("ls", into)).stdout, "large\nsub\n");
  for (const name of ["large", "sub/run.sh"]) assert.notEqual((await look("cat", join(into, name))).code, 0);

  // The one other user who must get at it is the task's, and what it is lent it can read and run.
  await makeReadable(into);
  assert.equal((await look(join(into, "sub/run.sh"))).stdout, "ran\n");
  assert.equal((await look("cat", join(into, "large"))).stdout.length, 3 << 20);
});
