import assert from "node:assert/strict";
import { it } from "node:test";
import { crashTable } from "../support/crash/table.ts";
import { needs } from "../support/require.ts";

/** `npm run test:crash` is all of it; these are kills in the middle of what costs money. */
const cells = new Map([
  ["post", "intended"],
  ["submit", "acted"],
  ["commit", "acted"],
]);

it(
  "a requester, a provider and a validator that are killed at a transaction end the job as if nothing had been",
  needs("root", "docker", "long"),
  async (t) => {
    const { failures, runs } = await crashTable({
      only: ["validated"],
      wants: ({ step, point }) => cells.get(step) === point,
      say: (text) => t.diagnostic(text),
    });
    assert.deepEqual(failures, []);
    assert.equal(runs, 2, "one undisturbed, one with three kills");
  },
);
