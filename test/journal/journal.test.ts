import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openJournal } from "../../src/journal/journal.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ichain-journal-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("journal", () => {
  it("acts once and remembers the outcome across a restart", async () => {
    const path = join(dir, "journal.db");
    let acts = 0;
    const step = {
      prepare: () => ({ nonce: 7n }),
      act: ({ nonce }: { nonce: bigint }) => {
        acts += 1;
        return nonce + 1n;
      },
    };
    const first = openJournal(path);
    assert.equal(await first.open("requester", "a").step("post", step), 8n);
    first.close();
    const second = openJournal(path);
    assert.equal(await second.open("requester", "a").step("post", step), 8n);
    assert.equal(acts, 1);
    second.close();
  });

  it("holds one intent when two processes prepare the same step at once", async () => {
    const path = join(dir, "journal.db");
    const books = [openJournal(path), openJournal(path)];
    const both = Promise.withResolvers<void>();
    let preparing = 0;
    const acted: number[] = [];
    const steps = books.map((book, i) =>
      book.open("requester", "a").step("withdraw", {
        prepare: async () => {
          if (++preparing === books.length) both.resolve();
          await both.promise;
          return { nonce: i };
        },
        act: ({ nonce }: { nonce: number }) => {
          acted.push(nonce);
          return nonce;
        },
      }),
    );
    const [one, other] = await Promise.all(steps);
    assert.equal(one, other);
    assert.equal(new Set(acted).size, 1);
    for (const book of books) book.close();
  });

  it("hands the recorded intent to a second attempt after a failed act", async () => {
    const journal = openJournal(join(dir, "journal.db"));
    const job = journal.open("provider", "b");
    const seen: number[] = [];
    let drawn = 0;
    const prepare = () => ({ drawn: ++drawn });
    const failing = {
      prepare,
      act: (intent: { drawn: number }) => {
        seen.push(intent.drawn);
        throw new RangeError("crash");
      },
    };
    await assert.rejects(job.step("submit", failing), RangeError);
    await job.step("submit", { prepare, act: (intent) => void seen.push(intent.drawn) });
    assert.deepEqual(seen, [1, 1]);
    journal.close();
  });

  it("keeps bytes and big integers, and roles and keys apart", async () => {
    const journal = openJournal(join(dir, "journal.db"));
    const value = { key: Uint8Array.of(1, 2), wei: 10n ** 30n, list: [Buffer.from("x"), null] };
    const step = { prepare: () => value, act: (intent: typeof value) => intent };
    const back = await journal.open("validator", "c").step("commit", step);
    assert.deepEqual(back, { key: Uint8Array.of(1, 2), wei: 10n ** 30n, list: [Uint8Array.of(120), null] });
    assert.equal(journal.open("provider", "c").outcome("commit"), undefined);
    assert.equal(journal.open("validator", "d").intent("commit"), undefined);
    journal.close();
  });

  it("lists what is unfinished and is readable by its owner alone", () => {
    const path = join(dir, "journal.db");
    const journal = openJournal(path);
    journal.open("provider", "x").finish("done");
    journal.open("provider", "y").note("waits for the validator");
    assert.deepEqual(
      journal.undertakings({ role: "provider", unfinished: true }).map((one) => one.key),
      ["y"],
    );
    assert.equal(journal.open("provider", "y").notes()[0]?.text, "waits for the validator");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    journal.close();
  });
});
