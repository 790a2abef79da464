import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { RotatingFile } from "../../src/log/rotating-file.ts";
import { temporaryFolder } from "../support/binary.ts";

const line = (n: number) => `line ${String(n).padStart(3, "0")}\n`;

describe("a rotating file", () => {
  test("takes no more of the disk than its files together, and loses the oldest lines first", () => {
    using folder = temporaryFolder();
    const path = folder.join("a.log");
    using file = new RotatingFile(path, { maxBytes: 90, keep: 2 });
    for (let n = 0; n < 100; n++) file.write(line(n));
    assert.deepEqual(readdirSync(folder.path).toSorted(), ["a.log", "a.log.1", "a.log.2"]);
    const kept = [`${path}.2`, `${path}.1`, path].map((one) => readFileSync(one, "utf8")).join("");
    assert.ok(kept.length <= 3 * 90);
    assert.equal(
      kept,
      Array.from({ length: kept.length / 9 }, (_, i) => line(100 - kept.length / 9 + i)).join(""),
    );
    for (const one of readdirSync(folder.path)) assert.equal(statSync(folder.join(one)).mode & 0o777, 0o600);
  });

  test("goes on in the file that is there, and makes it the owner's alone", () => {
    using folder = temporaryFolder();
    const path = folder.join("a.log");
    writeFileSync(path, line(0), { mode: 0o644 });
    using file = new RotatingFile(path, { maxBytes: 20, keep: 1 });
    file.write(line(1));
    file.write(line(2));
    assert.equal(readFileSync(`${path}.1`, "utf8"), line(0) + line(1));
    assert.equal(readFileSync(path, "utf8"), line(2));
    assert.equal(statSync(`${path}.1`).mode & 0o777, 0o600);
  });

  test("loses a line that cannot be written, and throws nothing", () => {
    using file = new RotatingFile("/dev/full");
    file.write(line(0));
  });
});
