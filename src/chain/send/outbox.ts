import type { Address, Hex } from "../../protocol/ids.ts";
import { transaction } from "../../sqlite/transaction.ts";
import type { Database } from "../database.ts";

/**
 * Assigns nonces to transactions, for every process of the account, through SQLite.
 *
 * A call is identified by the hash of its first signature, its root, which the journal holds. When that signature
 * becomes useless (its nonce went to another transaction, its fee is too low) the same call is signed again: another
 * attempt of the root. Every attempt is recorded before it is sent.
 */
export interface Attempt {
  readonly hash: Hex;
  readonly nonce: number;
  readonly raw: Hex;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Signed {
  readonly hash: Hex;
  readonly raw: Hex;
}

export interface Outbox {
  /**
   * Signs with the least nonce from `from` on that no other call holds, and records it. `root` is the
   * call's first hash; absent, this signature is the first.
   */
  reserve(from: number, sign: (nonce: number) => Signed, root?: Hex): Attempt;
  /** Records another signature of the same call under the nonce that it holds already. */
  replace(root: Hex, nonce: number, signed: Signed): Attempt;
  /** Records a transaction that another database prepared, or this one before it was lost. */
  adopt(attempt: Omit<Attempt, "at">): void;
  /** Marks the call's nonce as used; false when the nonce went to another call meanwhile. */
  claim(root: Hex, nonce: number): boolean;
  /** Latest last. */
  attempts(root: Hex): Attempt[];
  /** The call that holds `nonce`. */
  holder(nonce: number): { root: Hex; sent: boolean; live: boolean } | undefined;
}

/** Older transactions are no longer looked up; a quarter of a year. */
const KEEP_MS = 90 * 86_400_000;

interface AttemptRow {
  hash: Hex;
  nonce: number;
  raw: Hex;
  at: number;
}

/**
 * @param graceMs how long a nonce is kept for a call that was prepared and not sent. Then another call may have it:
 * otherwise a process that died in between would block the account.
 */
export function openOutbox(db: Database, account: Address, graceMs: number): Outbox {
  for (const table of ["reservations", "attempts"]) {
    db.prepare(`DELETE FROM ${table} WHERE at < ?`).run(Date.now() - KEEP_MS);
  }
  const held = db.prepare("SELECT root, sent, at FROM reservations WHERE account = ? AND nonce = ?");
  const hold = db.prepare(
    "INSERT OR REPLACE INTO reservations (account, nonce, root, sent, at) VALUES (?, ?, ?, ?, ?)",
  );
  const add = db.prepare(
    "INSERT OR IGNORE INTO attempts (hash, root, account, nonce, raw, at) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const list = db.prepare("SELECT hash, nonce, raw, at FROM attempts WHERE root = ? ORDER BY at, rowid");
  const send = db.prepare("UPDATE reservations SET sent = 1 WHERE account = ? AND nonce = ? AND root = ?");

  const holder: Outbox["holder"] = (nonce) => {
    const row = held.get(account, nonce) as { root: Hex; sent: number; at: number } | undefined;
    return (
      row && { root: row.root, sent: row.sent === 1, live: row.sent === 1 || row.at > Date.now() - graceMs }
    );
  };
  const record = (root: Hex, { hash, raw }: Signed, nonce: number): Attempt => {
    const at = Date.now();
    add.run(hash, root, account, nonce, raw, at);
    return { hash, nonce, raw, at };
  };

  return {
    reserve: (from, sign, root) =>
      transaction(db, () => {
        let nonce = from;
        while (holder(nonce)?.live) nonce++;
        const signed = sign(nonce);
        hold.run(account, nonce, root ?? signed.hash, 0, Date.now());
        return record(root ?? signed.hash, signed, nonce);
      }),
    replace: (root, nonce, signed) => transaction(db, () => record(root, signed, nonce)),
    adopt: ({ hash, nonce, raw }) => {
      transaction(db, () => {
        if (list.all(hash).length > 0) return;
        record(hash, { hash, raw }, nonce);
        if (holder(nonce) === undefined) hold.run(account, nonce, hash, 0, Date.now());
      });
    },
    claim: (root, nonce) => send.run(account, nonce, root).changes === 1,
    attempts: (root) => list.all(root) as unknown as AttemptRow[],
    holder,
  };
}
