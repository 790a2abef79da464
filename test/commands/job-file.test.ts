import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { loadJobFile } from "../../src/commands/steps/job-file.ts";
import { exitCodes } from "../../src/errors/entry.ts";
import { isIchainError } from "../../src/errors/error.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

const text = `version: 1
name: small
variables:
  epochs: 3
  least: 0.5
  seed:
image: python-ml
command:
  - python3
  - task.py
  - --epochs=\${epochs}
inputs: [task.py]
outputs: [model.npz]
resources: {time: 5m}
verification:
  threshold: \${least}
`;

function jobFolder(job = text) {
  const folder = temporaryFolder();
  writeFileSync(folder.join("job.yaml"), job);
  writeFileSync(folder.join("task.py"), "");
  return { file: folder.join("job.yaml"), [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe("a job.yaml with variables", () => {
  it("is read with the values of -V", async () => {
    using job = jobFolder();
    const { file } = await loadJobFile(job.file, { variable: [["epochs", "7"]] });
    assert.deepEqual(file.command, ["python3", "task.py", "--epochs=7"]);
    assert.equal(file.verification.threshold, 0.5);
  });

  it("keeps the job from the accounts that it names, and from those that the home avoids", async () => {
    const [own, home] = ["a", "b"].map((digit) => `0x${digit.repeat(40)}`) as [string, string];
    using job = jobFolder(`${text}avoid: ["${own}"]\n`);
    const { file } = await loadJobFile(job.file, { variable: [["epochs", "7"]], avoid: [home] });
    assert.deepEqual(file.avoid, [own, home]);
  });

  it("names the line of a value that does not fit its field", async () => {
    using job = jobFolder();
    await assert.rejects(
      loadJobFile(job.file, { variable: [["least", "1e10"]] }),
      (error) => isIchainError(error, "JOB_INVALID") && error.details.line === 16,
    );
  });

  for (const [what, flags, code] of [
    ["a variable that it does not declare", ["-V", "rate=1"], "VARIABLE_UNKNOWN"],
    ["a value of another kind", ["-V", "epochs=many"], "VARIABLE_INVALID"],
    ["no value where it has no default", [], "VARIABLE_MISSING"],
    ["what is no assignment", ["-V", "epochs"], "USAGE"],
  ] as const) {
    it(`refuses ${what} with one sentence and one hint, whatever reads it`, async () => {
      using job = jobFolder(text.replace("name: small", `name: small-\${seed}`));
      const given = code === "VARIABLE_MISSING" ? [] : ["-V", "seed=1"];
      for (const verb of ["submit", "quote"]) {
        const { code: status, stderr } = await ichainRun([verb, ...flags, ...given, job.file]);
        assert.equal(status, exitCodes.usage);
        assert.match(stderr, new RegExp(`^error .+ \\[${code}\\]\\nhint {2}.+\\n$`));
      }
    });
  }
});
