import assert from "node:assert/strict";
import { test } from "node:test";
import { loggingReporter } from "../../src/log/reporter.ts";
import { type Logger, silentLogger } from "../../src/ports/logger.ts";
import type { ProgressEvent } from "../../src/ports/reporter.ts";
import { forJob, type RoleContext } from "../../src/roles/context.ts";
import { random32 } from "../support/chain/terms.ts";

test("a daemon's events reach the terminal and the log, progress the terminal alone", () => {
  const shown: ProgressEvent[] = [];
  const logged: unknown[] = [];
  const at = (level: string) => (message: string, facts?: object) =>
    void logged.push([level, message, { ...facts }]);
  const logger: Logger = {
    ...silentLogger,
    ...{ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
  };
  const job = random32();
  const reporter = loggingReporter({ emit: (event) => void shown.push(event) }, logger);
  const context = forJob({ reporter, logger } as unknown as RoleContext, job);
  context.reporter.emit({ kind: "start", id: "run", text: "Running" });
  context.reporter.emit({ kind: "progress", id: "run", text: "Running", done: 1, total: 2 });
  context.reporter.emit({ kind: "fail", id: "run", text: "It could not be run" });
  reporter.emit({ kind: "warn", text: "The clock differs" });
  assert.deepEqual(
    shown.map(({ kind }) => kind),
    ["start", "progress", "fail", "warn"],
  );
  assert.deepEqual(logged, [
    ["debug", "Running", { event: "start", job, step: "run" }],
    ["warn", "It could not be run", { event: "fail", job, step: "run" }],
    ["warn", "The clock differs", { event: "warn", job: undefined }],
  ]);
});
