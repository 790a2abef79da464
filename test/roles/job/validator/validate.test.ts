import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { measurementCommitment } from "../../../../src/protocol/job/measurement.ts";
import { draftOf } from "../../../../src/roles/job/requester/posting/draft.ts";
import { abandonValidation } from "../../../../src/roles/job/validator/validate.ts";
import { jobFolder } from "../../../../src/roles/shared/job-folder.ts";
import { transact } from "../../../../src/roles/shared/transact.ts";
import { send } from "../../../support/chain/chain.ts";
import { random32 } from "../../../support/chain/terms.ts";
import {
  acceptJob,
  enlist,
  newActor,
  newJob,
  startParties,
  submitJob,
} from "../../../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

/** A validator with a seat in a job whose result was submitted, and with files of that job. */
async function seated(context: TestContext) {
  const { t, chain, requester, provider } = await startParties(context);
  const validator = await newActor(t, chain, 3);
  await enlist(validator);
  const id = await newJob(requester, provider, { validators: [validator] });
  const draft = draftOf(requester.journal.open("requester", id));
  assert.ok(draft);
  await submitJob(provider, await acceptJob(provider, id), {
    draft,
    requester,
    result: { root: random32(), size: 1000 },
    report: { root: random32() },
    endpoint: (await provider.transport.newIdentity()).endpoint,
    sessionKey: random32(),
  });
  const job = await requester.market.job(id, waits);
  const validators = [{ address: validator.account, sealed: "0x5ea1ed" as const }];
  await send(requester.market, { kind: "appoint", job, validators });
  const folder = jobFolder(validator.jobsDir, "validator", id).dir;
  await mkdir(folder, { recursive: true });
  /** Gives the validation up; resolves with the seat after it. */
  const abandon = async () => {
    await abandonValidation(validator, id, waits);
    const [seat] = (await requester.market.job(id, waits)).validations;
    assert.equal(validator.journal.find("validator", id)?.finished, "failed");
    assert.equal(existsSync(folder), false);
    return seat;
  };
  return { id, validator, abandon };
}

test("a seated validator that gives up before it has committed abstains", async (context) => {
  const { abandon } = await seated(context);
  const seat = await abandon();
  assert.equal(seat?.abstained, true);
  assert.deepEqual(await abandon(), seat, "giving up again changes nothing");
});

test("a validator that gives up after it has committed keeps its seat", async (context) => {
  const { id, validator, abandon } = await seated(context);
  const measurement = { digest: random32(), score: 1n, salt: random32() };
  const commitment = measurementCommitment(id, validator.account, measurement);
  const job = await validator.market.job(id, waits);
  await transact(
    validator.market,
    validator.journal.open("validator", id),
    { kind: "commit", job, commitment },
    waits,
  );
  const seat = await abandon();
  assert.deepEqual([seat?.abstained, seat?.commitment], [false, commitment]);
});
