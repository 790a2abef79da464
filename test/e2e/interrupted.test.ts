import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const SUBMIT = ["submit", digits, "--provider", "best", "--validator", "best", "--wait"] as const;

it(
  "a requester that presses Ctrl-C resumes the same job and opens its result",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const submit = market.launch([...SUBMIT, "--out", join(market.dir, "out")]);
    const interrupted = ended(submit);
    const { id } = await market.state("Posted");
    submit.kill("SIGINT");
    const { code, stdout } = await interrupted;
    assert.equal(code, 130);
    assert.equal((lastJson(stdout).error as { code: string }).code, "INTERRUPTED");

    const { jobs } = (await market.ichain(["resume"])) as { jobs: { jobId: string; state: string }[] };
    assert.deepEqual(
      jobs.map(({ jobId, state }) => [jobId, state]),
      [[id, "Settled"]],
    );
    const out = join(market.dir, "later");
    await market.ichain(["get", id, "-o", out]);
    assert.ok((await readFile(join(out, "model.safetensors"))).length > 1000);
    assert.deepEqual((await market.ichain(["resume"])).jobs, []);
  },
);

for (const who of ["provider", "validator"] as const) {
  it(
    `a ${who} that is killed in the middle of a job carries it on when it is started again`,
    needs("root", "docker"),
    async (t) => {
      const market = await startTestMarket(t, { transport: "direct" });
      const name = `${who}-1`;
      const submit = ended(market.launch([...SUBMIT, "--out", join(market.dir, "out")]));
      const { id } = await market.state(who === "provider" ? "Accepted" : "Validating");
      await market.killActor(name);
      await market.startActor(name);
      const { code, stdout, stderr } = await submit;
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      assert.equal(lastJson(stdout).jobId, id);
      assert.equal(lastJson(stdout).state, "Settled");
      // Each step reached the chain once, however often it was attempted.
      const kinds = (await market.transactions()).filter(({ receipt }) =>
        receipt.logs.some(({ topics }) => topics[1] === id),
      );
      assert.equal(kinds.length, 7);
    },
  );
}

it(
  "a requester that falls silent does not keep the provider from its pay: a validator is drawn",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const submit = market.launch([...SUBMIT, "--out", join(market.dir, "out")]);
    await market.state("Accepted");
    submit.kill("SIGKILL");
    const submitted = await market.state("Submitted");
    await market.evm.increaseTime(submitted.terms.windows.appoint + 1);
    // The provider draws alone, so that its requester could still challenge what is found.
    const claimed = await market.state("Claimed");
    assert.equal(claimed.verdict, "pass");
    await market.evm.increaseTime(claimed.terms.windows.challenge + 1);
    const settled = await market.state("Settled");
    assert.equal(settled.verdict, "pass");
    assert.equal(settled.validations.length, 1);

    // The requester comes back to find its job done, and the key that it paid for on the chain.
    const out = join(market.dir, "later");
    const { files } = await market
      .ichain(["job", settled.id])
      .then(() => market.attempt(["get", settled.id, "-o", out]))
      .then(({ stdout }) => lastJson(stdout));
    assert.deepEqual(files, ["model.safetensors"]);
  },
);
