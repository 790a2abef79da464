import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Maintenance,
  maintenanceSchema,
  maintenanceWithin,
} from "../../../src/protocol/machine/maintenance.ts";
import { policySchema, refuseMaintenance } from "../../../src/protocol/policy/policy.ts";

const at = (text: string) => Date.parse(`${text}Z`) / 1000;
const hours = (...written: object[]): Maintenance[] => written.map((one) => maintenanceSchema.parse(one));
const nightly = hours({ from: "22:00", for: "4h" });

test("maintenance is met by work that lasts into it, and not by work that ends as it begins", () => {
  const now = at("2026-03-04T20:00");
  assert.equal(maintenanceWithin(nightly, now, 7200), undefined);
  assert.equal(maintenanceWithin(nightly, now, 7201), at("2026-03-04T22:00"));
});

test("maintenance goes on past midnight and ends on time", () => {
  assert.equal(maintenanceWithin(nightly, at("2026-03-05T01:59"), 60), at("2026-03-04T22:00"));
  assert.equal(maintenanceWithin(nightly, at("2026-03-05T02:00"), 60), undefined);
});

test("maintenance of some weekdays begins on those alone", () => {
  const weekly = hours({ days: ["sun"], from: "06:00", for: "24h" });
  const wednesday = at("2026-03-04T07:00");
  assert.equal(maintenanceWithin(weekly, wednesday, 3 * 86_400), undefined);
  assert.equal(maintenanceWithin(weekly, wednesday, 4 * 86_400), at("2026-03-08T06:00"));
  assert.equal(maintenanceWithin(weekly, at("2026-03-09T05:59"), 1), at("2026-03-08T06:00"));
  // A week from the same hour on a day whose own maintenance is just over.
  assert.equal(maintenanceWithin(weekly, at("2026-03-09T06:00"), 8 * 86_400), at("2026-03-15T06:00"));
});

test("the earliest of several maintenances counts", () => {
  const both = hours({ from: "12:00", for: "1h" }, { from: "09:00", for: "1h" });
  assert.equal(maintenanceWithin(both, at("2026-03-04T08:00"), 86_400), at("2026-03-04T09:00"));
});

test("a provider's run window, and a validator's commit and reveal windows, must end before maintenance", () => {
  const policy = policySchema.parse({ maintenance: [{ from: "22:00", for: "4h" }] });
  const windows = { run: 7200, appoint: 0, commit: 3600, reveal: 3601, claim: 0, challenge: 0, appeal: 0 };
  const code = (role: "provider" | "validator") =>
    refuseMaintenance(policy, { windows }, role, at("2026-03-04T20:00"))?.code;
  assert.equal(code("provider"), undefined);
  assert.equal(code("validator"), "MAINTENANCE");
});

test("maintenance that is no time of day, or longer than a day, is refused", () => {
  for (const wrong of [
    { from: "24:00", for: "1h" },
    { from: "2:00", for: "1h" },
    { from: "02:00", for: "25h" },
    { from: "02:00", for: "0s" },
    { from: "02:00", for: "1h", days: ["Sunday"] },
    { from: "02:00" },
  ])
    assert.ok(!maintenanceSchema.safeParse(wrong).success, JSON.stringify(wrong));
});
