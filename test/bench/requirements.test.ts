import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/binary.ts";

for (const [bench, missing] of [
  ["transfer", "onionshare-cli"],
  ["sandbox", "docker"],
] as const) {
  test(`the ${bench} bench says in one line which programs it lacks, before it starts anything`, () => {
    using empty = temporaryFolder();
    const path = fileURLToPath(new URL(`../../bench/${bench}.ts`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
      env: { PATH: empty.path },
      encoding: "utf8",
    });
    assert.equal(status, 3, stderr);
    assert.equal(stdout, "");
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.ok(stderr.includes(missing), stderr);
  });
}
