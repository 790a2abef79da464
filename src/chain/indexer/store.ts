import type { Address, Hex } from "../../protocol/ids.ts";
import { transaction } from "../../sqlite/transaction.ts";
import { artifactOf } from "../abi/artifacts.ts";
import { MAX_LOG_BYTES } from "../abi/decode.ts";
import type { Addresses } from "../addresses.ts";
import type { Database } from "../database.ts";
import { campaignTopics } from "./campaigns.ts";
import { federatedTopics } from "./federated.ts";
import type { PlacedLog } from "./logs.ts";

export interface Checkpoint {
  readonly number: number;
  readonly hash: Hex;
}

/** The write half of the index: adds logs, and removes those of blocks that a reorganisation dropped. */
export interface IndexStore {
  /** The block up to which the index is complete. */
  cursor(): Checkpoint | undefined;
  /** Of the known blocks at or below `number`, newest first, the one after the first `skip`. */
  checkpoint(number: number, skip: number): Checkpoint | undefined;
  /**
   * Adds the logs that follow `after`, up to and including `end`; false, and nothing done, when the cursor
   * is elsewhere because another process was faster.
   */
  append(after: Checkpoint | undefined, logs: readonly PlacedLog[], end: Checkpoint): boolean;
  /** Removes everything after `block`, the newest that the chain still has. */
  rollback(block: number): void;
}

/** Blocks without logs are kept this far back; a deeper reorganisation replays from an older one. */
const KEEP_BLOCKS = 10_000;

const cursorSql = "SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1";
const touchSql = (
  table: "jobs" | "federated_jobs" | "campaigns",
) => `INSERT OR REPLACE INTO ${table} (job, touched)
  VALUES (?, (SELECT coalesce(max(touched), 0) + 1 FROM ${table}))`;

export function openIndexStore(
  db: Database,
  { escrow, federated, campaigns, improvements }: Addresses,
): IndexStore {
  const { topic, movesStakes } = eventTopics();
  const rounds = federatedTopics();
  const collected = campaignTopics();
  const newest = db.prepare(cursorSql);
  const below = db.prepare(
    "SELECT number, hash FROM blocks WHERE number <= ? ORDER BY number DESC LIMIT 1 OFFSET ?",
  );
  const addBlock = db.prepare("INSERT OR REPLACE INTO blocks (number, hash) VALUES (?, ?)");
  const addLog = db.prepare("INSERT INTO logs (block, position, job, topics, data) VALUES (?, ?, ?, ?, ?)");
  const touch = db.prepare(touchSql("jobs"));
  const touchFederated = db.prepare(touchSql("federated_jobs"));
  const touchCampaign = db.prepare(touchSql("campaigns"));
  const addTime = db.prepare("INSERT OR REPLACE INTO block_times (block, time) VALUES (?, ?)");
  const addParty = db.prepare(
    "INSERT OR IGNORE INTO parties (account, role, job, block) VALUES (?, ?, ?, ?)",
  );
  const changeOffer = db.prepare(
    `INSERT INTO offers (account, changed, stale) VALUES (?, ?, 1)
     ON CONFLICT (account) DO UPDATE SET changed = excluded.changed, stale = 1`,
  );
  const changeOffers = db.prepare(
    `UPDATE offers SET changed = ?, stale = 1
     WHERE account IN (SELECT account FROM parties WHERE job = ? AND role IN ('provider', 'validator'))`,
  );
  const prune = db.prepare(
    "DELETE FROM blocks WHERE number < ? AND NOT EXISTS (SELECT 1 FROM logs WHERE block = number)",
  );
  const isFederated = db.prepare("SELECT 1 FROM federated_jobs WHERE job = ?");
  const isCampaign = db.prepare("SELECT 1 FROM campaigns WHERE job = ?");
  const cursor = () => newest.get() as unknown as Checkpoint | undefined;

  function add(log: PlacedLog): void {
    const [name, subject] = log.topics;
    if (name === undefined || subject === undefined) return;
    if (log.address === federated?.toLowerCase()) {
      addFederated(log, name, subject);
      return;
    }
    if (log.address === campaigns?.toLowerCase() || log.address === improvements?.toLowerCase()) {
      addCampaign(log, name, subject);
      return;
    }
    if (log.address !== escrow.toLowerCase()) {
      // Registry and rating: every event's first topic is the account whose offer reads differently now.
      changeOffer.run(accountOf(subject), log.block);
      return;
    }
    if (name === topic.Withdrawn || log.data.length > 2 + 2 * MAX_LOG_BYTES) return;
    addLog.run(log.block, log.position, subject, log.topics.join(), log.data);
    touch.run(subject);
    const party = (role: string, index: number) => {
      const padded = log.topics[index];
      if (padded !== undefined) addParty.run(accountOf(padded), role, subject, log.block);
    };
    if (name === topic.Posted) {
      party("requester", 2);
      party("provider", 3);
    }
    if (name === topic.Appointed) party("validator", 2);
    // These change stakes, counters and scores of offers without an event of the registry.
    if (movesStakes.has(name)) changeOffers.run(log.block, subject);
  }

  function addFederated(log: PlacedLog, name: Hex, subject: Hex): void {
    if (name === rounds.withdrawn || log.data.length > 2 + 2 * MAX_LOG_BYTES) return;
    addLog.run(log.block, log.position, subject, log.topics.join(), log.data);
    touchFederated.run(subject);
    for (const { role, account } of rounds.partiesIn(log))
      addParty.run(account.toLowerCase(), role, subject, log.block);
    if (rounds.movesStakes.has(name)) changeOffers.run(log.block, subject);
  }

  function addCampaign(log: PlacedLog, name: Hex, subject: Hex): void {
    if (collected.ofNone.has(name) || log.data.length > 2 + 2 * MAX_LOG_BYTES) return;
    if (log.time === undefined) return;
    addLog.run(log.block, log.position, subject, log.topics.join(), log.data);
    addTime.run(log.block, log.time);
    touchCampaign.run(subject);
    for (const { role, account } of collected.partiesIn(log))
      addParty.run(account.toLowerCase(), role, subject, log.block);
  }

  return {
    cursor,
    checkpoint: (number, skip) => below.get(number, skip) as unknown as Checkpoint | undefined,
    append: (after, logs, end) =>
      transaction(db, () => {
        const now = cursor();
        if (now?.number !== after?.number || now?.hash !== after?.hash) return false;
        for (const log of logs) {
          add(log);
          addBlock.run(log.block, log.blockHash);
        }
        addBlock.run(end.number, end.hash);
        if (end.number % 256 === 0) prune.run(end.number - KEEP_BLOCKS);
        return true;
      }),
    rollback: (block) =>
      transaction(db, () => {
        const undone = db.prepare("SELECT DISTINCT job FROM logs WHERE block > ?").all(block);
        for (const { job } of undone) {
          const ofCampaign = isCampaign.get(job as string) !== undefined;
          const ofRounds = isFederated.get(job as string) !== undefined;
          (ofCampaign ? touchCampaign : ofRounds ? touchFederated : touch).run(job as string);
        }
        for (const table of ["logs", "parties", "block_times"])
          db.prepare(`DELETE FROM ${table} WHERE block > ?`).run(block);
        db.prepare("DELETE FROM blocks WHERE number > ?").run(block);
        db.prepare("UPDATE offers SET stale = 1 WHERE changed > ?").run(block);
      }),
  };
}

function accountOf(topic: Hex): Address {
  return `0x${topic.slice(-40)}`;
}

function eventTopics() {
  const { abi } = artifactOf("JobEscrow");
  const of = (name: string) => abi.getEvent(name)?.topicHash ?? name;
  const moving = ["Accepted", "Appointed", "Abstained", "Dismissed", "Settled", "Refunded", "Rated"];
  return {
    topic: { Posted: of("Posted"), Appointed: of("Appointed"), Withdrawn: of("Withdrawn") },
    movesStakes: new Set(moving.map(of)),
  };
}
