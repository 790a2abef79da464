import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeUnsafe, neutralise, neutraliseLine } from "../../src/protocol/neutralise.ts";

/** One or two characters of each unsafe kind. */
const unsafe: Readonly<Record<string, string>> = {
  "the escape character": "\u001b",
  "a C1 control that begins a sequence": "\u009b",
  "the string terminator": "\u009c",
  "a null and a delete": "\0\u007f",
  "the Arabic letter mark": "\u061c",
  "marks of direction": "\u200e\u200f",
  "overrides and embeddings of direction": "\u202a\u202b\u202c\u202d\u202e",
  "isolates of direction": "\u2066\u2067\u2068\u2069",
  "separators of lines and paragraphs": "\u2028\u2029",
  "characters of no width": "\u200b\u200c\u200d\u2060\ufeff",
  "a soft hyphen": "\u00ad",
  "a joiner of graphemes": "\u034f",
  "fillers that look like space": "\u115f\u1160\u3164\uffa0\u2800",
  tags: "\u{e0001}\u{e0041}",
  "characters for private use": "\ue000",
  "half of a pair": "\ud800",
};

for (const [what, text] of Object.entries(unsafe)) {
  test(`${what}: replaced by dots, escaped in JSON`, () => {
    const dots = "·".repeat([...text].length);
    assert.equal(neutralise(`a${text}b`), `a${dots}b`);
    assert.equal(neutraliseLine(`a${text}b`), `a${dots}b`);
    assert.match(escapeUnsafe(JSON.stringify(text)), /^"(\\[u\w]+)+"$/);
  });
}

test("letters, accents, scripts of both directions and emoji are not changed", () => {
  for (const text of [
    "Größe ✓ ½ «x»",
    "e\u0301 n\u0303",
    "日本語 한국어 ไทย हिन्दी",
    "שלום مرحبا",
    "⚠️ 👍🏽 𝔸",
    "a\u00a0b",
  ]) {
    assert.equal(neutralise(text), text);
    assert.equal(neutraliseLine(text), text);
    assert.equal(escapeUnsafe(text), text);
  }
});

test("a text keeps newlines and tabs, a line does not", () => {
  assert.equal(neutralise("\u001b[2J10%\r20%\r\n\tä"), "·[2J10%\n20%\n\tä");
  assert.equal(neutraliseLine("a\nb\tc\rd"), "a·b·c·d");
});

test("no unsafe character is left of any text, and neutralising twice changes nothing", () => {
  const found = /[^\P{C}\n\t]|[\u2028\u2029\u115f\u3164]/u;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.doesNotMatch(neutralise(text), found);
      assert.doesNotMatch(neutraliseLine(text), /[\n\t]/);
      assert.equal(neutralise(neutralise(text)), neutralise(text));
      assert.equal(JSON.parse(escapeUnsafe(JSON.stringify(text))), text);
    }),
  );
});
