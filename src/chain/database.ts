import type { DatabaseSync } from "node:sqlite";
import { isIchainError } from "../errors/error.ts";
import { waitForLock } from "../sqlite/lock.ts";
import { openSqlite } from "../sqlite/open.ts";
import { salvage, setAside } from "../sqlite/salvage.ts";
import { transaction } from "../sqlite/transaction.ts";

/** Everything but `reservations` and `attempts` can be read from the chain again. */
const FIRST = `
  CREATE TABLE IF NOT EXISTS chain_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS reservations (
    account TEXT NOT NULL, nonce INTEGER NOT NULL, root TEXT NOT NULL, sent INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (account, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS attempts (
    hash TEXT PRIMARY KEY, root TEXT NOT NULL, account TEXT NOT NULL, nonce INTEGER NOT NULL, raw TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS attempts_by_root ON attempts (root);

  -- Blocks that were read up to, or that hold logs; a differing hash shows a reorganisation.
  CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS logs (
    block INTEGER NOT NULL, position INTEGER NOT NULL, job TEXT NOT NULL, topics TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (block, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS logs_by_job ON logs (job, block, position);
  -- "touched" grows with every change to any job, including one that a reorganisation undoes.
  CREATE TABLE IF NOT EXISTS jobs (job TEXT PRIMARY KEY, touched INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS jobs_by_touch ON jobs (touched);
  CREATE TABLE IF NOT EXISTS parties (
    account TEXT NOT NULL, role TEXT NOT NULL, job TEXT NOT NULL, block INTEGER NOT NULL,
    PRIMARY KEY (account, role, job)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS parties_by_block ON parties (block);
  CREATE INDEX IF NOT EXISTS parties_by_job ON parties (job);
  -- "stale": the chain has changed the offer, at block "changed", since it was read.
  CREATE TABLE IF NOT EXISTS offers (
    account TEXT PRIMARY KEY, changed INTEGER NOT NULL, stale INTEGER NOT NULL, offer TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS stale_offers ON offers (account) WHERE stale = 1;
`;

/** Federated jobs beside `jobs`: their logs and parties are in the same tables. */
const SECOND = `
  CREATE TABLE federated_jobs (job TEXT PRIMARY KEY, touched INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX federated_jobs_by_touch ON federated_jobs (touched);
`;

/** What a job says of its provider, as of "touched" in "jobs": decoding its logs takes longer than all the rest. */
const THIRD = `
  CREATE TABLE past_jobs (job TEXT PRIMARY KEY, touched INTEGER NOT NULL, past TEXT) STRICT, WITHOUT ROWID;
`;

/** Data campaigns, likewise; and the times of the blocks with logs of theirs, which have no deadlines in them. */
const FOURTH = `
  CREATE TABLE campaigns (job TEXT PRIMARY KEY, touched INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX campaigns_by_touch ON campaigns (touched);
  CREATE TABLE block_times (block INTEGER PRIMARY KEY, time INTEGER NOT NULL) STRICT;
`;

const INDEX = [
  ...[
    "blocks",
    "block_times",
    "logs",
    "jobs",
    "federated_jobs",
    "campaigns",
    "parties",
    "offers",
    "past_jobs",
  ],
  "chain_meta",
];
const OUTBOX = ["reservations", "attempts"];

export type Database = DatabaseSync;

/**
 * Opens (or creates, owner-only) the database at `path`; `:memory:` keeps nothing. A damaged one is set aside and a new
 * one created: the index is read from the chain again, and what can still be read of pending transactions is copied.
 * @throws the codes of `openSqlite` but INDEX_DAMAGED
 */
export function openDatabase(path: string, onDamage: (setAsideAs: string) => void = () => {}): Database {
  const open = () =>
    openSqlite({ name: "index", path, migrations: [FIRST, SECOND, THIRD, FOURTH], check: true });
  try {
    return open();
  } catch (error) {
    if (!isIchainError(error, "INDEX_DAMAGED")) throw error;
  }
  // One process sets it aside; the others wait and open the new one.
  using _lock = waitForLock(`${path}.lock`);
  try {
    return open();
  } catch (error) {
    if (!isIchainError(error, "INDEX_DAMAGED")) throw error;
  }
  const damaged = setAside(path);
  const db = open();
  for (const table of ["chain_meta", "reservations", "attempts"]) salvage(damaged, db, table);
  onDamage(damaged);
  return db;
}

/**
 * Binds the database to one deployment on one chain (`identity` names genesis and contracts), and deletes what it holds
 * of another, such as an earlier devnet on the same port. A contract more, named last, has only the index read again.
 * True if it deleted something.
 */
export function bindDatabase(db: Database, identity: string): boolean {
  return transaction(db, () => {
    const row = db.prepare("SELECT value FROM chain_meta WHERE key = 'identity'").get();
    if (row?.value === identity) return false;
    const grown = typeof row?.value === "string" && identity.startsWith(`${row.value},`);
    for (const table of grown ? INDEX : [...INDEX, ...OUTBOX]) db.exec(`DELETE FROM ${table}`);
    db.prepare("INSERT INTO chain_meta (key, value) VALUES ('identity', ?)").run(identity);
    return row !== undefined;
  });
}
