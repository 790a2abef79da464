import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { payload } from "../../src/sandbox/engines/frames.ts";
import { boundedLog } from "../../src/sandbox/run/logs.ts";

test("characters that chunks split are decoded whole", () => {
  const bytes = Buffer.from("größer ✓ 𝔸\n");
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 30, maxLength: 30 }), (sizes) => {
      const log = boundedLog(4096);
      let at = 0;
      for (const size of sizes) {
        log.push(bytes.subarray(at, at + size));
        at += size;
      }
      log.push(bytes.subarray(at));
      log.end();
      assert.equal(log.text(), "größer ✓ 𝔸\n");
    }),
  );
});

test("a long log keeps its beginning and its end within its bound", () => {
  const log = boundedLog(8192);
  log.push(Buffer.from("first line\n"));
  for (let i = 0; i < 100_000; i++) log.push(Buffer.from(`step ${i}\n`));
  log.push(Buffer.from("acc: 0.97\n"));
  log.end();
  assert.ok(log.truncated);
  assert.match(log.text(), /^first line\n/);
  assert.match(log.text(), /acc: 0\.97\n$/);
  assert.ok(Buffer.byteLength(log.text()) < 8192 + 64, `${Buffer.byteLength(log.text())}`);
});

test("one chunk that is larger than the bound is cut", () => {
  const log = boundedLog(8192);
  log.push(Buffer.alloc(1 << 22, "x"));
  log.push(Buffer.from("\nacc: 1\n"));
  assert.ok(Buffer.byteLength(log.text()) < 8192 + 64);
  assert.match(log.text(), /acc: 1\n$/);
});

test("the engine's frames are decoded wherever chunks split them", async () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const wire = Buffer.concat([frame(1, "out"), frame(2, ""), frame(2, "error"), frame(1, "x".repeat(1000))]);
  for (const size of [1, 2, 7, 8, 9, 64, 5000]) {
    let text = "";
    const chunks = (async function* () {
      for (let at = 0; at < wire.length; at += size) yield wire.subarray(at, at + size);
    })();
    for await (const part of payload(chunks)) text += Buffer.from(part).toString();
    assert.equal(text, `outerror${"x".repeat(1000)}`);
  }
});
