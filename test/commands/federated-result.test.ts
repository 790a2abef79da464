import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { putResult } from "../../src/commands/job/federated/result.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { FederatedJob } from "../../src/protocol/federated/market/job.ts";
import { leadFiles } from "../../src/roles/federated/market/requester/files.ts";
import { jobFolder } from "../../src/roles/shared/job-folder.ts";
import { temporaryFolder } from "../support/binary.ts";
import { random32 } from "../support/chain/terms.ts";

test("the result of a federated job that has just ended is not there before its ledger is", async () => {
  using folder = temporaryFolder();
  const job = { id: random32(), state: "Ended", closings: [{}] } as unknown as FederatedJob;
  const home = { jobsDir: folder.path };
  const out = folder.join("out");
  const isNotReady = (error: unknown) => isIchainError(error, "RESULT_NOT_READY") && error.retryable;
  await assert.rejects(putResult(home, job, out), isNotReady);
  const { result, ledger } = leadFiles(jobFolder(folder.path, "federated-requester", job.id).dir);
  mkdirSync(result, { recursive: true });
  writeFileSync(`${result}/model.safetensors`, "model");
  await assert.rejects(putResult(home, job, out), isNotReady);
  writeFileSync(ledger, "ledger");
  assert.equal(await putResult(home, job, out), out);
  assert.equal(readFileSync(`${out}/job.ledger`, "utf8"), "ledger");
  // How one without a round ended is told instead.
  assert.equal(await putResult(home, { ...job, closings: [] }, undefined), result);
});
