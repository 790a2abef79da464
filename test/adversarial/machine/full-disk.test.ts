import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openJournal } from "../../../src/journal/journal.ts";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { jobFolder } from "../../../src/roles/shared/job-folder.ts";
import { lifo } from "../../support/lifo.ts";
import { fetches, newJob, startParties, startProviding } from "../../support/market/parties.ts";
import { code, scratch } from "../../support/parcel/parcels.ts";
import { needs } from "../../support/require.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const MIB = 2 ** 20;

/** A disk of its own of so many MiB. */
async function smallDisk(t: Pick<TestContext, "after">, mib: number): Promise<string> {
  const folder = await scratch(t);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", folder]);
  t.after(() => execFileSync("umount", ["-l", folder]));
  return folder;
}

/** Leaves so many bytes of the disk. */
function fill(folder: string, left = 0): string {
  const { bavail, bsize } = statfsSync(folder);
  const path = join(folder, "filler");
  writeFileSync(path, Buffer.alloc(bavail * bsize - left));
  return path;
}

test(
  "a requester's bundle that needs more than the free disk is not fetched",
  needs("root"),
  async (context) => {
    const home = await smallDisk(lifo(context), 32);
    const { t, requester, provider } = await startParties(context, { home });
    const { stop } = startProviding(t, provider);
    const large = await newJob(requester, provider, { bytes: 20 * MIB });
    await provider.tells(({ kind, text }) => kind === "info" && text.includes("not accepted"));
    assert.equal((await requester.market.job(large)).state, "Posted");
    const small = await newJob(requester, provider, { posted: false });
    assert.equal((await advance(requester, small, { stopAt: ["Accepted"] }, waits)).state, "Accepted");
    await stop();
    assert.equal(existsSync(jobFolder(provider.jobsDir, "provider", large).dir), false);
  },
);

test(
  "a disk that somebody fills while a bundle is fetched costs the job, and neither its part nor the daemon stays",
  needs("root"),
  async (context) => {
    const home = await smallDisk(lifo(context), 48);
    const { t, requester, provider } = await startParties(context, { home });
    const { stop } = startProviding(t, provider);
    let filler = "";
    provider.told.on("event", (event) => {
      if (fetches(event) && filler === "") filler = fill(home, MIB); // there was room when it was looked at
    });
    const id = await newJob(requester, provider, { bytes: 16 * MIB, posted: false });
    const halt = new AbortController();
    const carrying = advance(requester, id, {}, { signal: halt.signal }).catch(() => undefined);
    await provider.tells(({ kind, text }) => kind === "info" && text.includes("not accepted"));
    halt.abort();
    await carrying;
    rmSync(filler);
    const other = await newJob(requester, provider, { bytes: 2000, posted: false });
    assert.equal((await advance(requester, other, { stopAt: ["Accepted"] }, waits)).state, "Accepted");
    await stop();
    assert.equal(existsSync(jobFolder(provider.jobsDir, "provider", id).dir), false);
  },
);

test("a daemon whose journal finds no room waits until there is some", needs("root"), async (context) => {
  const home = await smallDisk(lifo(context), 16);
  const { t, requester, provider } = await startParties(context, { home });
  startProviding(t, provider);
  const filler = fill(home);
  const id = await newJob(requester, provider, { posted: false });
  const carrying = advance(requester, id, { stopAt: ["Accepted"] }, waits);
  await provider.tells(({ kind, text }) => kind === "warn" && text.includes("Trying again"));
  rmSync(filler);
  assert.equal((await carrying).state, "Accepted");
});

test("what a journal finds no room for is told as such, and can be tried again", needs("root"), async (t) => {
  const home = await smallDisk(lifo(t), 2);
  const path = join(home, "journal.db");
  const journal = openJournal(path);
  t.after(() => journal.close());
  const job = journal.open("provider", "0xab");
  const filler = fill(home);
  const long = "x".repeat(MIB);
  await assert.rejects(job.step("long", { prepare: () => long, act: () => long }), (error) => {
    return code("DISK_FULL")(error) && (error as { retryable: boolean }).retryable;
  });
  rmSync(filler);
});
