import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { jobFileSchema } from "../../../../../src/protocol/task/spec.ts";
import { draftOf } from "../../../../../src/roles/job/requester/posting/draft.ts";
import { draftForNext } from "../../../../../src/roles/job/requester/successors/next-provider.ts";
import { unpackKept } from "../../../../../src/roles/task/kept/kept-inputs.ts";
import { enlist, newActor, newJob, startParties } from "../../../../support/market/parties.ts";
import { roomy } from "../../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(600_000) };

test("the next provider is asked with the same kept inputs, although the job's folder is gone", async (context) => {
  const { t, chain, requester, provider } = await startParties(context);
  const next = await newActor(t, chain, 3);
  await enlist(next);
  const inputs = ["train.py", { path: "data", keep: "7d" }];
  const files = { "train.py": "x", "data/rows.bin": randomBytes(100_000) };
  const id = await newJob(requester, provider, { file: { inputs }, files });
  const journal = requester.journal.open("requester", id);
  const draft = draftOf(journal)!;
  await rm(join(requester.home, "in-1000"), { recursive: true });

  const file = jobFileSchema.parse({
    ...{ version: 1, name: "test", image: "python-ml", command: ["train"], inputs, outputs: ["model"] },
    ...{ price: "1", validatorFee: "0.01", resources: { time: "1m" } },
    verification: { threshold: 0.9, validators: 0 },
  });
  const again = { file, tries: 2, passed: [] };
  const audit = { validate: "always" as const, check: "evaluate" as const, after: 10, floor: 0.1 };
  const found = await draftForNext(requester, journal, { ...draft, again }, audit, waits);
  assert.ok("next" in found, JSON.stringify(found));
  const other = draftOf(requester.journal.open("requester", found.next))!;
  assert.equal(other.provider.account, next.account);
  assert.deepEqual(other.spec.kept, draft.spec.kept);

  const into = join(requester.home, "opened");
  const limits = roomy;
  await requester.parcels.open(
    { blob: other.bundle, sessionKey: other.bundleKey, into, limits },
    { signal: waits.signal },
  );
  assert.deepEqual(await readdir(into), ["train.py"]);
  await unpackKept(requester.parcels, other.kept![0]!, { input: into }, waits);
  assert.deepEqual((await readdir(join(into, "data"))).toSorted(), ["rows.bin"]);
  assert.deepEqual(
    (await readdir(requester.jobsDir)).filter((name) => name.startsWith(".")),
    [],
    "nothing is left in the clear",
  );
});
