import assert from "node:assert/strict";
import { test } from "node:test";
import { refuseUnhealthy } from "../../../src/commands/daemon/status.ts";
import { isIchainError } from "../../../src/errors/error.ts";

const chain = (ok: boolean) => ({ health: [{ name: "chain" as const, ok, found: "" }] });
const fails = (daemons: Parameters<typeof refuseUnhealthy>[1], silent: readonly string[], code: string) =>
  assert.throws(
    () => refuseUnhealthy("/home", daemons, silent),
    (error) => isIchainError(error) && error.code === code,
  );

test("a supervisor's check passes for daemons that lack nothing, or have just started", () => {
  refuseUnhealthy("/home", [chain(true), { health: [] }], []);
});

test("a supervisor's check fails where nothing runs, something lacks, or a process does not answer", () => {
  fails([], [], "DAEMON_NOT_RUNNING");
  fails([chain(true), chain(false)], [], "DAEMON_UNHEALTHY");
  fails([chain(true)], ["worker"], "DAEMON_UNHEALTHY");
});
