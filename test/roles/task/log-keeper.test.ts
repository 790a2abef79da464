import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openJournal } from "../../../src/journal/journal.ts";
import type { JobJournal } from "../../../src/ports/journal.ts";
import { endLog, isEnd, keepLog } from "../../../src/roles/task/log-keeper.ts";

function journalOf(t: TestContext): JobJournal {
  const dir = mkdtempSync(join(tmpdir(), "ichain-log-"));
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => {
    journal.close();
    rmSync(dir, { recursive: true });
  });
  return journal.open("provider", "0xab");
}

const textOf = (journal: JobJournal) => journal.logged(0, 1e6).reduce((text, piece) => text + piece.text, "");
const limit = { maxChars: 1e6 };

test("output is kept in order, in pieces that count from 0", (t) => {
  const journal = journalOf(t);
  for (const line of ["one\n", "two\n", "three\n"]) {
    using log = keepLog(journal, line, limit);
    log.push(line);
  }
  assert.equal(textOf(journal), "one\ntwo\nthree\n");
  assert.deepEqual(
    journal.logged(1, 1).map(({ seq, stage, upto }) => [seq, stage, upto]),
    [[1, "two\n", 4]],
  );
});

test("pieces are written while the task runs, not only at its end", async (t) => {
  const journal = journalOf(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  using log = keepLog(journal, "produce", limit);
  log.push("epoch 1\n");
  assert.equal(textOf(journal), "");
  t.mock.timers.tick(500);
  assert.equal(textOf(journal), "epoch 1\n");
});

test("output that is read again from its beginning is not written twice", (t) => {
  const journal = journalOf(t);
  {
    using log = keepLog(journal, "produce", limit);
    log.push("one\ntwo\n");
  }
  using again = keepLog(journal, "produce", limit);
  for (const piece of ["on", "e\ntw", "o\nthree\n"]) again.push(piece);
  again[Symbol.dispose]();
  assert.equal(textOf(journal), "one\ntwo\nthree\n");
});

test("a burst is cut, and so is output after the limit, with a line that says so", (t) => {
  const journal = journalOf(t);
  {
    using log = keepLog(journal, "produce", limit);
    for (let i = 0; i < 1000; i++) log.push("x".repeat(1000));
  }
  assert.match(textOf(journal), /^x{12288}\n\[987712 characters left out\]\n$/);
  {
    using log = keepLog(journal, "evaluate", { maxChars: 10 });
    log.push("y".repeat(11));
    log.push("z");
  }
  assert.match(textOf(journal), /\ny{10}\n\[the live log ends here; [^\]]+\]\n$/);
  const before = textOf(journal);
  {
    using log = keepLog(journal, "evaluate", { maxChars: 10 });
    log.push(`${"y".repeat(11)}zmore`);
  }
  assert.equal(textOf(journal), before, "nothing is written after the end, in a later process either");
});

test("the end is recorded once", (t) => {
  const journal = journalOf(t);
  endLog(journal);
  endLog(journal);
  assert.deepEqual(journal.logged(0, 10).map(isEnd), [true]);
});
