import assert from "node:assert/strict";
import { test } from "node:test";
import { aborted, together } from "../../src/async/abort.ts";

test("works run together and resolve in their order", async () => {
  const second = Promise.withResolvers<string>();
  const all = together<[number, string]>([
    async () => {
      second.resolve("b");
      return 1;
    },
    () => second.promise,
  ]);
  assert.deepEqual(await all, [1, "b"]);
});

test("when one work fails the others are aborted, and have ended when the failure is thrown", async () => {
  let ended = false;
  const all = together<[never, undefined]>([
    async () => {
      throw new RangeError("the first");
    },
    async ({ signal }) => {
      await aborted(signal);
      await new Promise(setImmediate);
      ended = true;
      signal.throwIfAborted();
      return undefined;
    },
  ]);
  await assert.rejects(all, RangeError);
  assert.ok(ended);
});

test("an abort from outside ends all works with its reason", async () => {
  const stop = new AbortController();
  const wait = async ({ signal }: { signal: AbortSignal }) => {
    await aborted(signal);
    signal.throwIfAborted();
  };
  const all = together<[undefined, undefined]>([wait, wait] as never, { signal: stop.signal });
  stop.abort(new RangeError("outside"));
  await assert.rejects(all, RangeError);
});
