import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { refuseOwnData } from "../../../../src/protocol/federated/privacy/own-data.ts";
import { ownDataRules } from "../../../../src/protocol/machine/own-data.ts";
import { checkedFolder, saltedDigest } from "../../../../src/roles/federated/market/provider/own-data.ts";

const signal = AbortSignal.timeout(60_000);
const requester = `0x${"1".repeat(40)}` as const;

test("a policy's data are given to the jobs that keep its rules, and by their name alone", () => {
  const rules = ownDataRules.parse({
    plain: "/srv/plain",
    strict: { folder: "/srv/strict", maxEpsilon: 10, maxClip: 1, requesters: [requester] },
  });
  const privacy = { clip: 1, noise: 4, delta: 1e-5 };
  const why = (name: string, change: object = {}) =>
    refuseOwnData(rules, name, { requester, rounds: 5, privacy, ...change })?.code;
  assert.equal(why("plain", { privacy: undefined }), undefined);
  assert.equal(why("toString"), "FEDERATED_DATA_NOT_HERE");
  assert.equal(why("strict"), undefined);
  assert.equal(why("strict", { requester: `0x${"2".repeat(40)}` }), "REQUESTER_NOT_ALLOWED");
  for (const weak of [
    { privacy: undefined },
    { privacy: { ...privacy, noise: 0 } },
    { privacy: { ...privacy, clip: 1.5 } },
    { rounds: 1000 },
  ])
    assert.equal(why("strict", weak), "FEDERATED_PRIVACY_TOO_WEAK", JSON.stringify(weak));
  for (const bad of [{ A: "/x" }, { a: "x" }, { a: "/x/../y" }, { a: { folder: "/x", maxEpsilon: 0 } }])
    assert.equal(ownDataRules.safeParse(bad).success, false, JSON.stringify(bad));
});

test("a folder is given if a task can read it and it holds nothing of ichain's", async (t) => {
  const scratch = await realpath(await mkdtemp(join(tmpdir(), "ichain-own-")));
  t.after(() => rm(scratch, { recursive: true, force: true }));
  const [home, data] = [join(scratch, "home"), join(scratch, "data")];
  await mkdir(home);
  await mkdir(join(data, "more"), { recursive: true });
  await writeFile(join(data, "a"), "one");
  await writeFile(join(data, "more", "b"), "two");
  // Inside a container it leads nowhere else here.
  await symlink("/etc/passwd", join(data, "link"));
  const why = (path: string) =>
    checkedFolder(path, home, { signal }).then(
      () => undefined,
      (error: Error) => error.message,
    );
  assert.equal(await checkedFolder(data, home, { signal }), data);
  await symlink(data, join(scratch, "alias"));
  assert.match((await why(join(scratch, "alias")))!, /is a link/);
  assert.match((await why(join(scratch, "none")))!, /is not there/);
  for (const path of [home, scratch]) assert.match((await why(path))!, /ichain's home/);
  await chmod(join(data, "more", "b"), 0o600);
  assert.match((await why(data))!, /"more\/b" is not readable/);
  await chmod(join(data, "more", "b"), 0o644);

  const salt = `0x${"7".repeat(64)}` as const;
  const digest = await saltedDigest(data, salt, { signal });
  assert.equal(await saltedDigest(data, salt, { signal }), digest);
  assert.notEqual(await saltedDigest(data, `0x${"8".repeat(64)}`, { signal }), digest);
  await writeFile(join(data, "a"), "ONE");
  assert.notEqual(await saltedDigest(data, salt, { signal }), digest);
});
