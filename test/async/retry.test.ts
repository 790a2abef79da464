import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { retryTransient } from "../../src/async/retry.ts";
import { IchainError } from "../../src/errors/error.ts";

const transient = () => new IchainError("CHAIN_NODES_DISAGREE", "The chain's nodes disagree.");

test("after a minute of work pauses start from the first again", async (t) => {
  let clock = 0;
  mock.method(performance, "now", () => clock);
  t.after(() => mock.restoreAll());
  const stop = new AbortController();
  const pauses: number[] = [];
  let tries = 0;
  const working = async () => {
    tries += 1;
    if (tries === 2) clock += 61_000;
    throw transient();
  };
  const onRetry = (_: IchainError, seconds: number) => {
    pauses.push(seconds);
    if (pauses.length === 2) stop.abort();
  };
  await assert.rejects(retryTransient(working, onRetry, { signal: stop.signal }));
  assert.deepEqual(pauses, [1, 1]);
});
