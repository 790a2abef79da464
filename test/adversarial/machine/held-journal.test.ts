import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { newJob, startParties, startProviding } from "../../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

/** Holds the database at argv[1] until its stdin closes. */
const HOLDER = `
  const { DatabaseSync } = require("node:sqlite");
  const db = new DatabaseSync(process.argv[1]);
  db.exec("BEGIN EXCLUSIVE");
  console.log("held");
  process.stdin.on("close", () => process.exit()).resume();
`;

test("another program that holds the journal for long, a backup, does not end the daemon", async (context) => {
  const { t, requester, provider } = await startParties(context);
  startProviding(t, provider);
  const holder = spawn(process.execPath, ["-e", HOLDER, join(provider.home, "journal.db")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => holder.kill());
  await once(holder.stdout, "data");
  const id = await newJob(requester, provider, { posted: false });
  const carrying = advance(requester, id, { stopAt: ["Accepted"] }, waits);
  await provider.tells(({ kind, text }) => kind === "warn" && text.includes("Trying again"));
  holder.stdin.end();
  assert.equal((await carrying).state, "Accepted");
});
