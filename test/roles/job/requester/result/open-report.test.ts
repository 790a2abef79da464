import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sandbox, TaskRun } from "../../../../../src/ports/sandbox.ts";
import { policySchema } from "../../../../../src/protocol/policy/policy.ts";
import { FAILED_RUN } from "../../../../../src/protocol/task/judgement.ts";
import { runDaemon } from "../../../../../src/roles/daemon/daemon.ts";
import { advance } from "../../../../../src/roles/job/requester/advance.ts";
import { reportedLog } from "../../../../../src/roles/job/requester/result/follow-log.ts";
import { openedReport } from "../../../../../src/roles/job/requester/result/open-report.ts";
import { validateDuty } from "../../../../../src/roles/job/validator/validate.ts";
import {
  enlist,
  newActor,
  newJob,
  reached,
  startParties,
  startProviding,
} from "../../../../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const failed: TaskRun = {
  exitCode: 3,
  ended: "exit",
  log: "Traceback: boom\n",
  logTruncated: false,
  wallSeconds: 0.5,
  cpuSeconds: 0.25,
  peakMemoryBytes: 1_000_000,
};

/** An engine in which every task fails. */
const engine = {
  run: async () => failed,
  reserve: async () => [],
  release: () => undefined,
  discard: async () => undefined,
} as Partial<Sandbox> as Sandbox;

test("the report of a failed run is open to its requester before any validator has looked", async (context) => {
  const { t, chain, requester, provider } = await startParties(context, { sandbox: engine });
  const validator = await newActor(t, chain, 3, { sandbox: engine });
  await enlist(validator);
  startProviding(t, provider);
  const id = await newJob(requester, provider, {
    validators: [validator],
    posted: false,
    file: { effort: 0.25 },
  });
  assert.equal(await openedReport(requester.jobsDir, id), undefined);
  await advance(requester, id, { stopAt: ["Submitted"] }, waits);
  const halt = new AbortController();
  const advancing = advance(requester, id, {}, halt);
  await reached(requester, id, "Validating");
  const report = await openedReport(requester.jobsDir, id);
  assert.deepEqual(report?.failure, { run: "0", kind: "exit", exitCode: 3 });
  assert.equal(report.run.peakMemoryBytes, failed.peakMemoryBytes);
  assert.equal(await reportedLog(requester.jobsDir, id), failed.log);

  const duty = validateDuty(validator, {
    policy: policySchema.parse({}),
    report: { tier: "runc" } as never,
  });
  const validating = runDaemon(validator, duty, halt);
  const { verdict, providerMeasurement, validations } = await reached(requester, id, "Rejected");
  assert.equal(verdict, "unmet");
  assert.deepEqual(
    [providerMeasurement?.digest, validations[0]?.measurement?.digest],
    [FAILED_RUN, FAILED_RUN],
  );
  halt.abort();
  await Promise.allSettled([advancing, validating]);
});
