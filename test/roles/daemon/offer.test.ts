import assert from "node:assert/strict";
import { test } from "node:test";
import type { OfferDraft } from "../../../src/ports/market.ts";
import type { SandboxReport } from "../../../src/ports/sandbox.ts";
import { offerDetailsSchema } from "../../../src/protocol/offer.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import { describeMachine, sameOffer } from "../../../src/roles/daemon/offer.ts";

test("an offer lists equal GPUs as one kind, and says nothing of their UUIDs", () => {
  const gpu = (n: number, model: string) => ({
    ...{ uuid: `GPU-${n}`, model, memoryBytes: 2 ** 36, driver: "550.54" },
    computeCapability: "9.0",
  });
  const report: SandboxReport = {
    ...{ engine: "docker", engineVersion: "1", tier: "runc", cpus: 4, memoryBytes: 2 ** 33, images: [] },
    gpus: [...Array.from({ length: 8 }, (_, n) => gpu(n, "A")), gpu(8, "B")],
  };
  const details = describeMachine(report, policySchema.parse({}), { diskBytes: 1, name: "m" });
  assert.deepEqual(details.gpus, [
    { model: "A", memoryBytes: 2 ** 36, driver: "550.54", count: 8 },
    { model: "B", memoryBytes: 2 ** 36, driver: "550.54", count: 1 },
  ]);
  assert.deepEqual(offerDetailsSchema.parse(details), details);
});

test("an offer is published again for what a job needs to know, and not for a little disk", () => {
  const report: SandboxReport = {
    ...{ engine: "docker", engineVersion: "1", tier: "runc", cpus: 4, memoryBytes: 2 ** 33, images: [] },
    gpus: [],
  };
  const policy = policySchema.parse({});
  const keys = { address: "0x", fingerprint: "0x", onion: "0x" } as unknown as OfferDraft["keys"];
  const offer = (diskBytes: number, name = "m"): OfferDraft => ({
    ...{ provider: true, validator: false, priceFloor: 1n, feeFloor: 1n, keys },
    details: describeMachine(report, policy, { diskBytes, name }),
  });
  assert.equal(sameOffer(offer(1000), offer(905)), true);
  assert.equal(sameOffer(offer(1000), offer(890)), false);
  assert.equal(sameOffer(offer(1000), offer(1110)), false);
  assert.equal(sameOffer(offer(1000), offer(1000, "other")), false);
});
