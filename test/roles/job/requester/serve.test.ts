import assert from "node:assert/strict";
import { test } from "node:test";
import { IchainError } from "../../../../src/errors/error.ts";
import type { Notification } from "../../../../src/ports/notifier.ts";
import { auditPolicySchema } from "../../../../src/protocol/policy/audit.ts";
import { serveDuty } from "../../../../src/roles/job/requester/serve.ts";
import { newJob, startParties } from "../../../support/market/parties.ts";

test("an owner is called when a server can do no more for a job", async (context) => {
  const { requester, provider } = await startParties(context);
  const job = await newJob(requester, provider);
  const told: Notification[] = [];
  const full = () => {
    throw new IchainError("CONFIG_UNWRITABLE", "The folder cannot be written.");
  };
  const duty = serveDuty({
    ...{ ...requester, lockJob: full, audit: auditPolicySchema.parse({}) },
    notifier: { tell: (one) => void told.push(one) },
  });
  await duty.work(job, { signal: AbortSignal.timeout(60_000) });
  assert.deepEqual(
    told.map((one) => [one.event, one.job]),
    [["needs-you", job]],
  );
});
