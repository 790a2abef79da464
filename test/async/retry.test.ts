import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { retryTransient } from "../../src/async/retry.ts";
import { IchainError } from "../../src/errors/error.ts";

const passing = () =>
  new IchainError("The chain's nodes disagree.", {
    ...{ code: "CHAIN_NODES_DISAGREE", class: "unavailable", hint: "Wait.", retryable: true },
  });

test("trouble after a minute of good work is met with a short pause, however much there was before", async (t) => {
  let clock = 0;
  mock.method(performance, "now", () => clock);
  t.after(() => mock.restoreAll());
  const stop = new AbortController();
  const pauses: number[] = [];
  let works = 0;
  const working = async () => {
    works += 1;
    if (works === 2) clock += 61_000;
    throw passing();
  };
  const told = (_: IchainError, seconds: number) => {
    pauses.push(seconds);
    if (pauses.length === 2) stop.abort();
  };
  await assert.rejects(retryTransient(working, told, { signal: stop.signal }));
  assert.deepEqual(pauses, [1, 1]);
});
