import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { IchainError } from "../../../src/errors/error.ts";
import { openJournal } from "../../../src/journal/journal.ts";
import { silentLogger } from "../../../src/ports/logger.ts";
import type { JobId } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { type Duty, runDaemon } from "../../../src/roles/daemon/daemon.ts";
import { random32 } from "../../support/chain/terms.ts";
import { scratch } from "../../support/parcel/parcels.ts";

/** A daemon to which one job appears, and another once `later` resolves; `act` is its duty. */
async function daemon(
  t: TestContext,
  act: Pick<Duty, "work" | "giveUp">,
  { draining, later }: { draining?: AbortSignal; later?: Promise<JobId> } = {},
) {
  const book = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => book.close());
  const id: JobId = random32();
  const stop = new AbortController();
  const context = {
    journal: book,
    jobsDir: "/nonexistent",
    reporter: { emit: () => undefined },
    logger: silentLogger,
  } as unknown as Parameters<typeof runDaemon>[0];
  const duty: Duty = {
    role: "provider",
    async *watch({ signal }) {
      yield { id } as Job;
      if (later) yield { id: await later } as Job;
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    wants: () => true,
    ...act,
  };
  const ended = runDaemon(context, duty, { signal: stop.signal, draining });
  const open = () => book.undertakings({ unfinished: true }).map(({ key }) => key);
  const notes = () => book.open("provider", id).notes();
  return { id, stop, ended, open, notes };
}

const trouble = (retryable: boolean) => new IchainError("RUN_LOST", "Trouble.", { retryable });

test("a job that cannot be brought to its end is given up, with retries", async (t) => {
  const over = Promise.withResolvers<void>();
  let tries = 0;
  const { id, stop, ended, open, notes } = await daemon(t, {
    work: () => Promise.reject(trouble(false)),
    async giveUp(jobId) {
      assert.equal(jobId, id);
      if (++tries === 1) throw trouble(true);
      over.resolve();
    },
  });
  await over.promise;
  stop.abort();
  await ended;
  assert.deepEqual([tries, open()], [2, []]);
  assert.deepEqual(
    notes().map(({ text }) => text),
    ["given up (RUN_LOST): Trouble.", "Trouble. Trying again in 1 s."],
  );
});

test("a job that was interrupted is not given up", async (t) => {
  const begun = Promise.withResolvers<void>();
  const { id, stop, ended, open } = await daemon(t, {
    work: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        begun.resolve();
      }),
    giveUp: async () => assert.fail("gave up a job that is to be continued"),
  });
  await begun.promise;
  stop.abort();
  await ended;
  assert.deepEqual(open(), [id]);
});

test("a daemon that is drained ends with the jobs that it had begun, whatever appears meanwhile", async (t) => {
  const [draining, first, later] = [
    new AbortController(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<JobId>(),
  ];
  const [begun, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const declined: JobId = random32();
  const { id, ended, open } = await daemon(
    t,
    {
      work: async (jobId, { signal }) => {
        if (jobId !== declined) {
          begun.resolve();
          return first.promise;
        }
        late.resolve();
        await new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
      },
      giveUp: async () => assert.fail("gave up a job that is to be continued"),
    },
    { draining: draining.signal, later: later.promise },
  );
  await begun.promise;
  draining.abort();
  later.resolve(declined);
  await late.promise;
  assert.deepEqual(new Set(open()), new Set([id, declined]));
  first.resolve();
  await ended;
});

test("a daemon that is drained before its first job begins none", async (t) => {
  const { ended } = await daemon(
    t,
    { work: async () => undefined, giveUp: async () => undefined },
    { draining: AbortSignal.abort() },
  );
  await ended;
});
