import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { COIN } from "../../src/protocol/amounts.ts";
import { bytes, duration, instant, money, table, toJson } from "../../src/ui/format.ts";

describe("figures for people", () => {
  it("name a duration by its two largest units", () => {
    const told = [0, 0.25, 42, 60, 185, 7800, 100_000].map(duration);
    assert.deepEqual(told, ["0 s", "0.3 s", "42 s", "1 min", "3 min 5 s", "2 h 10 min", "1 d 3 h"]);
  });

  it("name bytes in binary units", () => {
    assert.deepEqual([0, 512, 1536, 2 ** 20, 20.25 * 2 ** 30].map(bytes), [
      "0 B",
      "512 B",
      "1.5 KiB",
      "1 MiB",
      "20.3 GiB",
    ]);
  });

  it("name money exactly, in the token's own units and with its symbol", () => {
    const amounts = [0n, 1n, 5n * 10n ** 16n, 12n * 10n ** 18n, -(10n ** 18n + 1n)];
    assert.deepEqual(
      amounts.map((amount) => money(amount, COIN)),
      ["0 coin", "0.000000000000000001 coin", "0.05 coin", "12 coin", "-1.000000000000000001 coin"],
    );
    const token = (decimals: number, symbol = "USD") => ({ ...COIN, decimals, symbol });
    assert.equal(money(12_500_000n, token(6)), "12.5 USD");
    assert.equal(money(7n, token(0)), "7 USD");
    assert.equal(money(1n, token(6, "a\u001b[2J")), "0.000001 a·[2J");
  });

  it("name an instant in UTC", () => {
    assert.equal(instant(0), "1970-01-01 00:00:00 UTC");
  });
});

describe("table", () => {
  it("aligns columns by their widest cell", () => {
    assert.equal(table(["A", "BB"], [["long", "x"]]), "A     BB\nlong  x");
  });

  it("takes from each cell its power over the terminal and over the table", () => {
    assert.equal(table(["A", "B"], [["a\u001b[2Jb\nc", "x\u202ey"]]), "A         B\na·[2Jb·c  x·y");
  });
});

describe("JSON", () => {
  it("writes bigints as decimal strings and bytes as hex", () => {
    assert.equal(
      toJson({ a: 10n ** 20n, b: new Uint8Array([1, 255]), c: undefined }),
      '{"a":"100000000000000000000","b":"0x01ff"}',
    );
  });

  it("escapes what has power over a terminal, and loses nothing by it", () => {
    const data = { text: "a\u009b2J\u202e\u2028\u{e0041}ä ✓ 👩‍🔬" };
    const text = toJson(data);
    assert.doesNotMatch(text, /[\u009b\u202e\u2028\u200d]|\u{e0041}/u);
    assert.match(text, /ä ✓ 👩/);
    assert.deepEqual(JSON.parse(text), data);
  });
});
