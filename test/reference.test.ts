import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { referencePages } from "../scripts/reference/pages.ts";
import { outputs } from "../src/commands/output/all.ts";
import { commandTable } from "../src/commands/program.ts";

const folder = fileURLToPath(new URL("../docs/reference/", import.meta.url));
const pages = referencePages();

describe("the reference pages", () => {
  it("are all there, and no others", () => {
    assert.deepEqual(readdirSync(folder).toSorted(), Object.keys(pages).toSorted());
  });

  for (const [name, text] of Object.entries(pages)) {
    it(`${name} is what the source says now ("npm run reference" rewrites it)`, () => {
      assert.equal(readFileSync(`${folder}${name}`, "utf8"), text);
    });
  }

  it("describe the output of every command", () => {
    assert.deepEqual(Object.keys(outputs).toSorted(), commandTable.map(({ name }) => name).toSorted());
  });

  it("say of every field what it is", () => {
    for (const name of ["job.md", "policy.md", "config.md"]) {
      const empty = pages[name]!.split("\n").filter((line) => /^\| `.*\| {2}\|$/.test(line));
      assert.deepEqual(empty, [], name);
    }
  });
});
