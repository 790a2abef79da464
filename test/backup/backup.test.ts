import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { type BackupContent, isKept } from "../../src/backup/content.ts";
import { refuseSecondHome } from "../../src/backup/marks.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { writeBackup } from "../../src/backup/write.ts";
import { openPeerStore } from "../../src/gossip/store.ts";
import { openJournal } from "../../src/journal/journal.ts";
import type { Kept } from "../../src/protocol/gossip/peer/state.ts";
import { finalDigest } from "../../src/protocol/gossip/records/block.ts";
import { transactionDigest } from "../../src/protocol/gossip/records/transaction.ts";
import type { Hex } from "../../src/protocol/ids.ts";
import { blockBy, finalBy, genesis, signerOf, transactionBy } from "../protocol/gossip/support.ts";
import { scratch } from "../support/parcel/parcels.ts";

const { signal } = new AbortController();
const password = "correct horse";
const key = `0x${"ab".repeat(32)}`;
const jobPath = `jobs/provider/${key.slice(2)}/bundle.parcel`;

const hiddenPath = `jobs/campaign/${key.slice(2)}/hidden.json`;

const peerFolder = "gossip/my digits";
const owner = signerOf("owner");
const witnessed = { transaction: transactionBy(owner), receipts: [] };
const final = finalBy(owner, blockBy(owner, [witnessed]), []);
/** A finished block, an own transaction, a receipt given. */
const peerKept: readonly Kept[] = [
  { kind: "final", final, tip: finalDigest(final) },
  { kind: "own", digest: transactionDigest(witnessed.transaction), witnessed },
  { kind: "given", receipt: { digest: key as Hex, transaction: key as Hex, create: 1000 } },
  { kind: "reputation", account: owner.identity.account, value: 0.5 },
];
/** What a restored home's peer goes on with. */
function peerOf(dir: string) {
  using store = openPeerStore(join(dir, peerFolder, "peer.db"));
  const { height, own, given, reputations } = store.state();
  return [height, own.length, given.length, reputations.length];
}

/** A home with a job under way, a campaign that it opened and a gossip peer, whose databases are still open. */
async function home(t: TestContext, facts: Partial<BackupContent> = {}) {
  const root = await scratch(t);
  const dir = join(root, "home");
  await mkdir(join(dir, jobPath, ".."), { recursive: true });
  await mkdir(join(dir, "networks"));
  await mkdir(join(dir, "logs"));
  const files = { "keystore.json": "{}", keyring: "ring", "config.yaml": "role: provider\n" };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 });
  await writeFile(join(dir, "networks", "x.yaml"), "name: x\n");
  await writeFile(join(dir, "logs", "ichain.log"), "not kept");
  await writeFile(join(dir, jobPath), Buffer.alloc(300_000, 7));
  for (const path of [hiddenPath, `${peerFolder}/peer.db`])
    await mkdir(join(dir, path, ".."), { recursive: true });
  await writeFile(join(dir, hiddenPath), '[{"rows":["1\tgood"],"salt":"0x00"}]');
  await symlink("/etc/passwd", join(dir, "networks", "link.yaml"));
  for (const [name, text] of Object.entries({
    "model.safetensors": "m",
    "neighbours.json": "[]",
    models: "no",
  }))
    await writeFile(join(dir, peerFolder, name), text);
  const peer = openPeerStore(join(dir, peerFolder, "peer.db"), genesis);
  t.after(() => peer[Symbol.dispose]());
  peer.keep(peerKept);
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => journal.close());
  const act = async () => ({ path: join(dir, jobPath), amount: 5n, text: `not ${dir}` });
  await journal.open("provider", key).step("bundle", { prepare: () => ({ path: dir }), act });
  const content: BackupContent = {
    version: 1,
    ...{ account: `0x${"cd".repeat(20)}`, home: dir, at: 1_796_000_000, sent: 3, moved: false },
    ...facts,
  };
  return { root, dir, content, file: join(root, "file") };
}

test("a home that was moved goes on elsewhere, with the paths of its records, and acts no more itself", async (t) => {
  const { root, dir, content, file } = await home(t, { moved: true });
  const { files, bytes } = await writeBackup(file, content, { password, signal });
  assert.equal(files, 10);
  assert.ok(bytes > 300_000);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const sealed = await readFile(file);
  for (const secret of ["role: provider", "bundle.parcel", "SQLite"]) assert.ok(!sealed.includes(secret));
  const other = join(root, "other");
  const restored = await restoreBackup(file, other, { password, lost: false, signal });
  assert.equal(restored.account, content.account);
  for (const path of [jobPath, hiddenPath])
    assert.deepEqual(await readFile(join(other, path)), await readFile(join(dir, path)));
  assert.deepEqual((await readdir(other)).toSorted(), [
    ...["config.yaml", "gossip", "jobs", "journal.db", "keyring", "keystore.json", "networks"],
    "restored.json",
  ]);
  assert.deepEqual(await readdir(join(other, "networks")), ["x.yaml"]);
  assert.deepEqual(peerOf(other), [1, 1, 1, 1], "its peer goes on where it was");
  assert.deepEqual((await readdir(join(other, peerFolder))).toSorted().slice(0, 2), [
    ...["model.safetensors", "neighbours.json"],
  ]);
  const journal = openJournal(join(other, "journal.db"), { check: true });
  const record = journal.open("provider", key);
  assert.deepEqual(record.outcome("bundle"), {
    ...{ path: join(other, jobPath), amount: 5n, text: `not ${dir}` },
  });
  journal.close();
  await assert.rejects(
    refuseSecondHome(dir, async () => 3),
    { code: "HOME_MOVED" },
  );
  await refuseSecondHome(other, async () => 3);
  // Its own transactions do not count against it.
  await refuseSecondHome(other, async () => 4);
});

test("a home that is restored from a copy does not act once the account has acted elsewhere", async (t) => {
  const { root, dir, content, file } = await home(t);
  await writeBackup(file, content, { password, signal });
  const other = join(root, "other");
  await assert.rejects(restoreBackup(file, other, { password, lost: false, signal }), {
    code: "BACKUP_NOT_MOVED",
  });
  assert.equal(await stat(other).catch(() => undefined), undefined);
  await restoreBackup(file, other, { password, lost: true, signal });
  assert.deepEqual(peerOf(other), [1, 0, 0, 1], "what its peer had under way may have gone on elsewhere");
  await assert.rejects(
    refuseSecondHome(other, async () => 4),
    { code: "HOME_STALE" },
  );
  await refuseSecondHome(dir, async () => 4);
});

test("a wrong password, a changed byte and a file cut short restore nothing", async (t) => {
  const { root, content, file } = await home(t, { moved: true });
  await writeBackup(file, content, { password, signal });
  const whole = await readFile(file);
  const other = join(root, "other");
  const attempt = (pass = password) => restoreBackup(file, other, { password: pass, lost: false, signal });
  await assert.rejects(attempt("another"), { code: "BACKUP_UNREADABLE" });
  const header = whole.indexOf(10);
  for (const at of [20, header + 5, header + 2000, whole.length - 40, whole.length - 1]) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1;
    await writeFile(file, changed);
    await assert.rejects(attempt(), { code: "BACKUP_UNREADABLE" }, `byte ${at}`);
  }
  for (const length of [0, 5, header + 1, header + 10, whole.length - 1000]) {
    await writeFile(file, whole.subarray(0, length));
    await assert.rejects(attempt(), { code: "BACKUP_UNREADABLE" }, `${length} bytes`);
  }
  assert.deepEqual((await readdir(root)).toSorted(), ["file", "home"]);
});

test("a backup that a newer ichain wrote, or of a home that one acted in, restores nothing", async (t) => {
  const { root, dir, content, file } = await home(t, { moved: true });
  const other = join(root, "other");
  const restore = () => restoreBackup(file, other, { password, lost: false, signal });
  await writeFile(file, `${JSON.stringify({ ichain: "backup", version: 2, sealed: "another way" })}\n`);
  await assert.rejects(restore(), { code: "STATE_TOO_NEW" });
  await rm(file);
  const journal = new DatabaseSync(join(dir, "journal.db"));
  journal.exec("PRAGMA user_version = 1000");
  journal.close();
  await writeBackup(file, content, { password, signal });
  await assert.rejects(restore(), { code: "STATE_TOO_NEW" });
  assert.deepEqual((await readdir(root)).toSorted(), ["file", "home"]);
});

test("neither a file nor a home is overwritten", async (t) => {
  const { root, dir, content, file } = await home(t, { moved: true });
  await writeFile(file, "mine");
  await assert.rejects(writeBackup(file, content, { password, signal }), { code: "BACKUP_EXISTS" });
  assert.equal(await readFile(file, "utf8"), "mine");
  await refuseSecondHome(dir, async () => 3);
  const next = join(root, "next");
  await writeBackup(next, content, { password, signal });
  await assert.rejects(restoreBackup(next, dir, { password, lost: false, signal }), {
    code: "HOME_NOT_EMPTY",
  });
  assert.equal(await readFile(join(dir, "keyring"), "utf8"), "ring");
  const empty = join(root, "empty");
  await mkdir(empty);
  await restoreBackup(next, empty, { password, lost: false, signal });
});

test("a backup holds a home's own files, and no path that leads out of it", () => {
  const job = `jobs/requester/${"ab".repeat(32)}`;
  const campaign = `jobs/campaign/${"ab".repeat(32)}`;
  const rows = ["hidden.json", "entry-0.rows", "entry-3.key", `${"cd".repeat(32)}.rows`];
  for (const name of rows) assert.equal(isKept(`${campaign}/${name}`), true, name);
  const peer = "gossip/my digits";
  for (const name of ["peer.db", "model.safetensors", "neighbours.json"])
    assert.equal(isKept(`${peer}/${name}`), true, name);
  for (const path of ["keyring", "journal.db", "networks/x.yaml", `${job}/in/data/x.npz`, `${job}/a..b`]) {
    assert.equal(isKept(path), true, path);
  }
  const others = [
    ...[
      "index.db",
      "journal.db-wal",
      "moved",
      "restored.json",
      "/etc/passwd",
      "networks/../keyring",
      "networks/..",
    ],
    ...[`${job}/../../../x`, `${job}//x`, `${job}/./x`, `${job}/`, "jobs/other/x", "logs/ichain.log"],
    ...[`${peer}/peer.db-wal`, `${peer}/models/x.int8`, "gossip/../peer.db", "gossip/peer.db"],
    // What is fetched again, or was being written.
    ...[`${campaign}/entry-0.rows.part`, `${campaign}/hidden.json.tmp`, `${campaign}/x/entry-0.rows`],
  ];
  for (const path of others) assert.equal(isKept(path), false, path);
});
