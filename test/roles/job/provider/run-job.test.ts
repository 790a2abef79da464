import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sandbox, TaskRun } from "../../../../src/ports/sandbox.ts";
import { advance } from "../../../../src/roles/job/requester/advance.ts";
import { noticeIn } from "../../../../src/roles/job/requester/take-notice.ts";
import { newJob, startParties, startProviding } from "../../../support/market/parties.ts";

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

/** An engine whose runs last until `until` resolves, and then fail. */
function failingSandbox(until: () => Promise<unknown>): Sandbox {
  const sandbox: Partial<Sandbox> = {
    async run() {
      await until();
      return failed;
    },
    reserve: async () => [],
    release: () => undefined,
    discard: async () => undefined,
  };
  return sandbox as Sandbox;
}

test("the result's address is published while the task runs, and its failure told before the release", async (context) => {
  const hosted = Promise.withResolvers<void>();
  const sandbox = failingSandbox(() => hosted.promise);
  const { t, requester, provider } = await startParties(context, { sandbox });
  provider.told.on("event", ({ kind, text }) => {
    if (kind === "end" && text === "The result is hosted") hosted.resolve();
  });
  startProviding(t, provider);
  const id = await newJob(requester, provider, { posted: false });
  assert.equal((await advance(requester, id, {}, waits)).state, "Refunded");
  const notice = noticeIn(requester.journal.open("requester", id));
  assert.deepEqual(
    [notice?.kind, notice?.code, notice?.run?.exitCode, notice?.log],
    ["failed", "RUN_FAILED", 3, failed.log],
  );
});
