import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { plainReporter } from "../../src/ui/reporter.ts";

function sink(): { stream: Writable; text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
}

describe("plain reporter", () => {
  it("writes a line when a step begins and one when it ends", () => {
    const { stream, text } = sink();
    const reporter = plainReporter(stream);
    reporter.emit({ kind: "start", id: "a", text: "Hosting" });
    reporter.emit({ kind: "progress", id: "a", text: "Hosting", done: 1, total: 2 });
    reporter.emit({ kind: "end", id: "a", text: "Hosted" });
    assert.equal(text(), "- Hosting\n✔ Hosted\n");
  });

  it("lets nothing through that a terminal would obey", () => {
    const { stream, text } = sink();
    plainReporter(stream).emit({ kind: "warn", text: "a\u001b[2Jb" });
    assert.equal(text(), "! a·[2Jb\n");
  });

  it("is silent once closed", () => {
    const { stream, text } = sink();
    const reporter = plainReporter(stream);
    reporter.close();
    reporter.emit({ kind: "info", text: "late" });
    assert.equal(text(), "");
  });
});
