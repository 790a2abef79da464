import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonStatus } from "../../src/control/messages.ts";
import { watchHealth } from "../../src/daemon/watch-health.ts";
import type { Notification } from "../../src/ports/notifier.ts";

type Health = DaemonStatus["health"];

test("an owner is told once that something lacks, and again after it had recovered", async () => {
  const funds = (ok: boolean): Health => [{ name: "funds", ok, found: "0 coin" }];
  const course: (Health | Error)[] = [
    ...[funds(true), funds(false), funds(false), new Error("silent"), funds(false), funds(true)],
    [{ name: "chain", ok: false, found: "silent" }],
    [...funds(false), { name: "disk", ok: false, found: "0.1 GiB free" }],
  ];
  const over = Promise.withResolvers<void>();
  const told: Notification[] = [];
  const warned: string[] = [];
  const health = async (): Promise<Health> => {
    const next = course.shift();
    if (next instanceof Error) throw next;
    if (next === undefined) over.resolve();
    return next ?? [];
  };
  {
    await using _ = watchHealth(
      { health },
      {
        reporter: { emit: ({ text }) => void warned.push(text) },
        notifier: { tell: (one) => void told.push(one) },
        everyMs: 1,
      },
    );
    await over.promise;
  }
  assert.deepEqual(
    told.map(({ event, job }) => [event, job]),
    [
      ["funds-low", undefined],
      ["funds-low", undefined],
      ["disk-full", undefined],
    ],
  );
  assert.deepEqual(
    warned,
    told.map(({ text }) => text),
  );
});
