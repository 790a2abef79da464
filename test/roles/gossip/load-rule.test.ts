import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { loadAveragingRule } from "../../../src/roles/gossip/load-rule.ts";
import { temporaryFolder } from "../../support/binary.ts";

test("a rule is found by its name, or loaded from a third party's module", async () => {
  using folder = temporaryFolder();
  assert.equal((await loadAveragingRule("half-fedavg", "/")).name, "half-fedavg");
  writeFileSync(
    folder.join("mine.mjs"),
    `export const rule = {
      name: "mine", summary: "its own model alone",
      plan: ({ received }) => ({ own: 1, received: received.map(() => 0), reputations: new Map() }),
    };`,
  );
  assert.equal((await loadAveragingRule("./mine.mjs", folder.path)).name, "mine");
  assert.equal((await loadAveragingRule(folder.join("mine.mjs"), "/")).name, "mine");
  writeFileSync(folder.join("none.mjs"), "export const rule = { name: 'none', summary: '' };");
  await assert.rejects(loadAveragingRule("./none.mjs", folder.path), { code: "GOSSIP_RULE_INVALID" });
  await assert.rejects(loadAveragingRule("./absent.mjs", folder.path), { code: "GOSSIP_RULE_INVALID" });
  await assert.rejects(loadAveragingRule("best", folder.path), { code: "GOSSIP_RULE_UNKNOWN" });
});
