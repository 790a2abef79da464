import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { IchainError } from "../errors/error.ts";
import type { PeerStore } from "../ports/gossip.ts";
import { type Genesis, genesisDigest, genesisSchema } from "../protocol/gossip/genesis.ts";
import type { Kept, PeerState } from "../protocol/gossip/peer/state.ts";
import { blockSchema, confirmationSchema } from "../protocol/gossip/records/block.ts";
import { digestField } from "../protocol/gossip/records/encoding.ts";
import { REMEMBERED } from "../protocol/gossip/records/limits.ts";
import { transactionDigest, witnessedSchema } from "../protocol/gossip/records/transaction.ts";
import type { Address } from "../protocol/ids.ts";
import { explainSqlite } from "../sqlite/faults.ts";
import { openSqlite } from "../sqlite/open.ts";
import { transaction } from "../sqlite/transaction.ts";

const migrations = [
  `
  CREATE TABLE network (genesis TEXT NOT NULL) STRICT;
  CREATE TABLE blocks (height INTEGER PRIMARY KEY, tip TEXT NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE TABLE own (seq INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
  CREATE TABLE draft (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL) STRICT;
  CREATE TABLE confirmations (receipt TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
  CREATE TABLE given (digest TEXT PRIMARY KEY, of TEXT NOT NULL, created INTEGER NOT NULL, block TEXT) STRICT;
  CREATE INDEX given_created ON given (created);
  CREATE TABLE reputations (account TEXT PRIMARY KEY, value REAL NOT NULL) STRICT;
`,
];

const givenSchema = z.object({
  digest: digestField,
  transaction: digestField,
  create: z.number().int(),
  block: digestField.nullable(),
});
const reputationSchema = z.object({
  account: z
    .string()
    .regex(/^0x[0-9a-f]{40}$/)
    .transform((text) => text as Address),
  value: z.number().min(0).max(1),
});

/**
 * Opens (or creates, owner-only) a peer's store. `genesis` is needed for a new one, and must be that of an old one.
 * @throws GOSSIP_STORE_OTHER, GOSSIP_STORE_DAMAGED; the codes of `openSqlite`
 */
export function openPeerStore(path: string, genesis?: Genesis): PeerStore {
  if (genesis === undefined) refuseOther(path);
  const db = openSqlite({ name: "peer store", path, migrations });
  try {
    return new SqlitePeerStore(db, path, genesis);
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Leaves the finished blocks and what the peer thinks of others, and nothing that is under way: for a copy whose peer may
 * have gone on. It confirms none of the receipts that it gave before, of which another block may have been told.
 * @throws the codes of `openSqlite`
 */
export function dropUnderWay(path: string): void {
  const db = openSqlite({ name: "peer store", path, migrations, check: true });
  try {
    db.exec("DELETE FROM own; DELETE FROM draft; DELETE FROM confirmations; DELETE FROM given");
  } finally {
    db.close();
  }
}

class SqlitePeerStore implements PeerStore {
  readonly genesis: Genesis;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #write: (kept: Kept) => void;

  constructor(db: DatabaseSync, path: string, genesis: Genesis | undefined) {
    this.#db = db;
    this.#path = path;
    const row = db.prepare("SELECT genesis AS json FROM network").get() as { json: string } | undefined;
    if (row === undefined && genesis === undefined) throw other(path, "is not the store of a gossip peer");
    if (row === undefined) db.prepare("INSERT INTO network VALUES (?)").run(JSON.stringify(genesis));
    this.genesis = row === undefined ? genesis! : this.#parse(genesisSchema, row.json);
    if (genesis !== undefined && genesisDigest(genesis) !== genesisDigest(this.genesis)) {
      throw other(path, "is of another network");
    }
    this.#write = writer(db);
  }

  state(): PeerState {
    const rows = (sql: string) => this.#db.prepare(sql).all() as unknown as { json: string }[];
    const last = this.#db.prepare("SELECT height, tip FROM blocks ORDER BY height DESC LIMIT 1").get();
    const [draft] = rows("SELECT json FROM draft");
    const given = this.#db.prepare(
      'SELECT digest, of AS "transaction", created AS "create", block FROM given ORDER BY created, rowid',
    );
    const reputations = this.#db.prepare("SELECT account, value FROM reputations ORDER BY rowid").all();
    return {
      height: Number(last?.height ?? 0),
      tip: last === undefined ? genesisDigest(this.genesis) : this.#checked(digestField, last.tip),
      own: rows("SELECT json FROM own ORDER BY seq").map(({ json }) => this.#parse(witnessedSchema, json)),
      ...(draft !== undefined && {
        draft: {
          block: this.#parse(blockSchema, draft.json),
          confirmations: rows("SELECT json FROM confirmations ORDER BY rowid").map(({ json }) =>
            this.#parse(confirmationSchema, json),
          ),
        },
      }),
      given: given.all().map((row) => {
        const { block, ...rest } = this.#checked(givenSchema, row);
        return block === null ? rest : { ...rest, block };
      }),
      reputations: reputations.map((row) => {
        const { account, value } = this.#checked(reputationSchema, row);
        return [account, value] as const;
      }),
    };
  }

  keep(kept: readonly Kept[]): void {
    transaction(this.#db, () => {
      for (const one of kept) this.#write(one);
    });
  }

  *blocks(): Iterable<string> {
    for (const row of this.#db.prepare("SELECT json FROM blocks ORDER BY height").iterate()) {
      yield String(row.json);
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #parse<T>(schema: z.ZodType<T>, json: string): T {
    try {
      return this.#checked(schema, JSON.parse(json));
    } catch (cause) {
      if (cause instanceof IchainError) throw cause;
      throw this.#damaged(cause);
    }
  }

  #checked<T>(schema: z.ZodType<T>, value: unknown): T {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw this.#damaged(result.error);
  }

  #damaged(cause: unknown): IchainError {
    return new IchainError(
      "GOSSIP_STORE_DAMAGED",
      `The peer store ${this.#path} holds what no peer writes.`,
      {
        details: { path: this.#path },
        cause,
      },
    );
  }
}

/** Another program's database stays as it is: it is looked at before it is opened for writing. */
function refuseOther(path: string): void {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'given_created'").get() !== undefined) return;
  } catch (error) {
    throw explainSqlite(error, "peer store", path);
  }
  throw other(path, "is not the store of a gossip peer");
}

function other(path: string, why: string): IchainError {
  return new IchainError("GOSSIP_STORE_OTHER", `The file ${path} ${why}.`, { details: { path } });
}

/** Writes one change. */
function writer(db: DatabaseSync): (kept: Kept) => void {
  const putOwn = db.prepare(
    "INSERT INTO own (digest, json) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET json = excluded.json",
  );
  const dropOwn = db.prepare("DELETE FROM own WHERE digest = ?");
  const putDraft = db.prepare("INSERT OR REPLACE INTO draft VALUES (1, ?)");
  const putConfirmation = db.prepare("INSERT OR IGNORE INTO confirmations VALUES (?, ?)");
  const endDraft = () => db.exec("DELETE FROM draft; DELETE FROM confirmations");
  const putBlock = db.prepare("INSERT INTO blocks VALUES (?, ?, ?)");
  const putGiven = db.prepare(
    "INSERT INTO given VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET block = excluded.block",
  );
  const forget = db.prepare("DELETE FROM given WHERE created <= ?");
  const putReputation = db.prepare("INSERT OR REPLACE INTO reputations VALUES (?, ?)");
  return (kept) => {
    switch (kept.kind) {
      case "own":
        putOwn.run(kept.digest, JSON.stringify(kept.witnessed));
        return;
      case "dropped":
        dropOwn.run(kept.digest);
        return;
      case "draft":
        endDraft();
        putDraft.run(JSON.stringify(kept.block));
        for (const { transaction: one } of kept.block.transactions) dropOwn.run(transactionDigest(one));
        return;
      case "confirmed":
        putConfirmation.run(kept.confirmation.receipt, JSON.stringify(kept.confirmation));
        return;
      case "abandoned":
        endDraft();
        return;
      case "final":
        endDraft();
        putBlock.run(kept.final.block.height, kept.tip, JSON.stringify(kept.final));
        return;
      case "given": {
        const { digest, transaction: of, create, block } = kept.receipt;
        putGiven.run(digest, of, create, block ?? null);
        // What the peer has forgotten is of no use here either.
        forget.run(create - REMEMBERED);
        return;
      }
      case "reputation":
        putReputation.run(kept.account, kept.value);
    }
  };
}
