import type { DatabaseSync } from "node:sqlite";
import { isIchainError } from "../errors/error.ts";
import { waitForLock } from "../sqlite/lock.ts";
import { openSqlite } from "../sqlite/open.ts";
import { salvage, setAside } from "../sqlite/salvage.ts";
import { transaction } from "../sqlite/transaction.ts";

/** What ichain remembers of one chain; all but `reservations` and `attempts` can be read again from it. */
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

  -- Blocks that were read up to, or that hold logs: what a reorganisation is noticed by.
  CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS logs (
    block INTEGER NOT NULL, position INTEGER NOT NULL, job TEXT NOT NULL, topics TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (block, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS logs_by_job ON logs (job, block, position);
  -- "touched" grows with every change to any job, a change that is undone included.
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

const TABLES = ["reservations", "attempts", "blocks", "logs", "jobs", "parties", "offers", "chain_meta"];

export type Database = DatabaseSync;

/**
 * Opens (or creates, owner-only) the database at `path`; `:memory:` keeps nothing. A damaged one is set
 * aside and a new one begun: the chain tells the rest again, and of transactions under way what is still
 * readable is taken over. Throws as `openSqlite`.
 */
export function openDatabase(path: string, onDamage: (setAsideAs: string) => void = () => {}): Database {
  const open = () => openSqlite({ name: "index", path, migrations: [FIRST], check: true });
  try {
    return open();
  } catch (error) {
    if (!isIchainError(error, "INDEX_DAMAGED")) throw error;
  }
  // One process sets it aside; the others find what that one made.
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
 * Ties the database to one deployment on one chain (`identity` names genesis and contracts): what it
 * remembers of another, such as yesterday's devnet on the same port, is forgotten. True if it was.
 */
export function bindDatabase(db: Database, identity: string): boolean {
  return transaction(db, () => {
    const row = db.prepare("SELECT value FROM chain_meta WHERE key = 'identity'").get();
    if (row?.value === identity) return false;
    for (const table of TABLES) db.exec(`DELETE FROM ${table}`);
    db.prepare("INSERT INTO chain_meta (key, value) VALUES ('identity', ?)").run(identity);
    return row !== undefined;
  });
}
