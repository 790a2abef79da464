import assert from "node:assert/strict";
import { test } from "node:test";
import { type Checkout, releaseFaults } from "../scripts/release/faults.ts";

const ready: Checkout = {
  version: "1.2.0",
  changelog: "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-12-01\n\n- A change.\n",
  ...{ changed: "", head: "abc", tagged: "abc", signed: true },
};

test("a release has its changelog, a clean checkout and a signed tag", () => {
  assert.deepEqual(releaseFaults(ready), []);
  assert.deepEqual(releaseFaults({ ...ready, changelog: "## [1.2.0] - 2026-12-01\n" }), []);
  for (const change of [
    { version: "1.2.1" },
    { changelog: ready.changelog.replace("[Unreleased]\n", "[Unreleased]\n\n- Another.\n") },
    { changed: " M src/main.ts" },
    { changed: undefined },
    { tagged: undefined },
    { tagged: "def" },
    { signed: false },
  ])
    assert.equal(releaseFaults({ ...ready, ...change }).length, 1, JSON.stringify(change));
});
