import type { AbortOptions } from "../../async/abort.ts";
import type { Address } from "../../protocol/ids.ts";
import { transaction } from "../../sqlite/transaction.ts";
import { artifactOf } from "../abi/artifacts.ts";
import { type Values, valuesReader } from "../abi/values.ts";
import type { Database } from "../database.ts";
import type { Contract } from "../rpc/contract.ts";
import { unusableAnswer } from "../rpc/quantities.ts";
import { RpcRefusal } from "../rpc/rpc.ts";
import { decodeOffer, encodeOffer, type SignedOffer, toOffer } from "./offer-row.ts";
import { splitArray } from "./page.ts";

/** The registry's offers, cached: only those that events mark as changed are read again. */
export interface Offers {
  /** Reads the offers that are marked as changed, as of `block`, the index's cursor. */
  refresh(block: number, options?: AbortOptions): Promise<void>;
  find(account: Address): SignedOffer | undefined;
  /** All, by account, in bounded pages. */
  all(): Iterable<SignedOffer>;
}

/** Offers in one answer of the registry, at most. */
const PAGE = 50;
/** From this many changed offers on, reading all by pages costs less than one call each. */
const MANY = 64;
/** Single reads under way at once. */
const AT_ONCE = 8;
/** Rows in memory at once. */
const ROWS = 200;

interface Row {
  account: Address;
  offer: string;
}

export function openOffers(db: Database, registry: Contract): Offers {
  const readOffer = valuesReader(artifactOf("ProviderRegistry").abi.getFunction("offerOf")?.outputs ?? []);
  const offerIn = (answer: Uint8Array): Values => {
    try {
      return readOffer(Buffer.from(answer.buffer, answer.byteOffset, answer.length)).offer;
    } catch (cause) {
      throw unusableAnswer("offerOf()", cause);
    }
  };
  const countStale = db.prepare("SELECT count(*) AS n FROM (SELECT 1 FROM offers WHERE stale = 1 LIMIT ?)");
  const listStale = db.prepare(
    "SELECT account FROM offers WHERE stale = 1 AND account > ? ORDER BY account LIMIT ?",
  );
  // An offer that changed after the block that was read stays stale.
  const update = db.prepare(
    "UPDATE offers SET offer = ?, stale = 0 WHERE account = ? AND stale = 1 AND changed <= ?",
  );
  const findRow = db.prepare("SELECT account, offer FROM offers WHERE account = ? AND offer IS NOT NULL");
  const rowsAfter = db.prepare(
    "SELECT account, offer FROM offers WHERE account > ? AND offer IS NOT NULL ORDER BY account LIMIT ?",
  );
  const keep = (answers: readonly [Address, Values][], block: number): void =>
    transaction(db, () => {
      for (const [account, raw] of answers) {
        const offer = toOffer(raw);
        update.run(offer === undefined ? null : encodeOffer(offer), account.toLowerCase(), block);
      }
    });

  async function readPages(block: number, abortOptions: AbortOptions): Promise<void> {
    let limit = PAGE;
    for (let from = 0; ; ) {
      let page: Values[];
      try {
        const answer = await registry.readBytes("page", [from, limit], { ...abortOptions, block });
        page = splitArray(answer, limit).map(offerIn);
      } catch (error) {
        // Long offers can cost more gas than the node grants to one call.
        if (!(error instanceof RpcRefusal) || limit === 1) throw error;
        limit = Math.ceil(limit / 2);
        continue;
      }
      keep(
        page.map((raw) => [raw.account as Address, raw]),
        block,
      );
      from += page.length;
      if (page.length < limit) return;
    }
  }

  async function readSingly(block: number, abortOptions: AbortOptions): Promise<void> {
    for (let last = ""; ; ) {
      const stale = listStale.all(last, AT_ONCE) as unknown as { account: Address }[];
      if (stale.length === 0) return;
      const answers = await Promise.all(
        stale.map(async ({ account }): Promise<[Address, Values]> => {
          const answer = await registry.readBytes("offerOf", [account], { ...abortOptions, block });
          return [account, offerIn(answer)];
        }),
      );
      keep(answers, block);
      last = stale.at(-1)?.account ?? "";
    }
  }

  return {
    async refresh(block, abortOptions = {}) {
      if (countStale.get(MANY)?.n === MANY) await readPages(block, abortOptions);
      await readSingly(block, abortOptions);
    },
    find(account) {
      const row = findRow.get(account.toLowerCase()) as Row | undefined;
      return row && decodeOffer(row.offer);
    },
    *all() {
      let last = "";
      for (;;) {
        const rows = rowsAfter.all(last, ROWS) as unknown as Row[];
        for (const { offer } of rows) yield decodeOffer(offer);
        if (rows.length < ROWS) return;
        last = rows.at(-1)?.account ?? "";
      }
    },
  };
}
