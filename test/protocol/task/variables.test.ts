import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { jobFileSchema, specOf } from "../../../src/protocol/task/spec.ts";
import { cellsOf, matrixSchema, substituteVariables } from "../../../src/protocol/task/variables.ts";

const given = (...pairs: [string, string][]) => new Map(pairs);
const fails = (code: string, file: object, values = given()) =>
  assert.throws(
    () => substituteVariables(file, values),
    (error) => isIchainError(error, code as never),
  );

describe("variables of a job.yaml", () => {
  const file = {
    variables: { lr: 0.1, tag: "small", deep: true, seed: null },
    name: `run-\${tag}`,
    command: ["python3", "task.py", "--lr", `\${lr}`, `--name=\${tag}-\${lr}`],
    verification: { threshold: `\${lr}` },
  };
  const seeded = given(["seed", "1"]);

  it("are their defaults unless values are given", () => {
    assert.deepEqual(substituteVariables(file, seeded), {
      variables: file.variables,
      name: "run-small",
      command: ["python3", "task.py", "--lr", "0.1", "--name=small-0.1"],
      verification: { threshold: 0.1 },
    });
  });

  it("reach a list as they were written, and a number's place as a number", () => {
    const changed = substituteVariables(file, given(["lr", "1e-3"])) as typeof file;
    assert.deepEqual(changed.command.slice(2), ["--lr", "1e-3", "--name=small-1e-3"]);
    assert.equal(changed.verification.threshold, 0.001 as never);
  });

  it("keep the kind of their default", () => {
    fails("VARIABLE_INVALID", file, given(["lr", "high"]));
    fails("VARIABLE_INVALID", file, given(["lr", "true"]));
    fails("VARIABLE_INVALID", file, given(["deep", "1"]));
    const texts = substituteVariables(file, given(["tag", "7"])) as typeof file;
    assert.equal(texts.name, "run-7");
  });

  it("without a default must be given where they are used", () => {
    const used = { ...file, command: ["x", `\${seed}`] };
    fails("VARIABLE_MISSING", used);
    assert.deepEqual((substituteVariables(used, seeded) as typeof file).command, ["x", "1"]);
  });

  it("must be declared", () => {
    fails("VARIABLE_UNKNOWN", file, given(["rate", "1"]));
    fails("VARIABLE_UNKNOWN", { ...file, command: [`\${rate}`] });
    fails("VARIABLE_UNKNOWN", { ...file, command: [`\${}`] });
    fails("VARIABLE_UNKNOWN", { command: ["x"] }, given(["lr", "1"]));
    for (const name of ["constructor", "__proto__", "toString"])
      fails("VARIABLE_UNKNOWN", { ...file, command: [`\${${name}}`] });
  });

  it(`leave a file without them as it is, and $\${ for a plain \${`, () => {
    const shell = { command: ["sh", "-c", `echo \${HOME}`] };
    assert.equal(substituteVariables(shell, given()), shell);
    const both = { variables: { lr: 1 }, command: ["sh", "-c", `echo $\${HOME} \${lr} $$`] };
    assert.deepEqual((substituteVariables(both, given()) as typeof shell).command[2], `echo \${HOME} 1 $$`);
  });

  it("are replaced once: a value is no template", () => {
    const nested = { variables: { a: `\${b}`, b: "x" }, command: [`\${a}`] };
    assert.deepEqual((substituteVariables(nested, given()) as typeof nested).command, [`\${b}`]);
  });

  it("that are malformed are left to the schema, with their place", () => {
    const job = { version: 1, name: "a", image: "x", command: ["x"], inputs: ["x"], outputs: ["x"] };
    for (const variables of [{ "a-b": 1 }, { a: [1] }, { a: "x".repeat(1025) }, many(65), "text"]) {
      const whole = { ...job, verification: { threshold: 0 }, variables };
      const { error } = jobFileSchema.safeParse(substituteVariables(whole, given()));
      assert.equal(error?.issues[0]?.path[0], "variables", JSON.stringify(variables));
    }
  });

  it("are not in the spec, which others see", () => {
    const job = { version: 1, name: "a", image: "x", inputs: ["x"], outputs: ["x"] };
    const whole = {
      ...job,
      command: [`\${a}`],
      verification: { threshold: 0 },
      variables: { a: "b", c: "secret" },
    };
    const spec = specOf(jobFileSchema.parse(substituteVariables(whole, given())), "");
    assert.deepEqual(spec.command, ["b"]);
    assert.doesNotMatch(JSON.stringify(spec), /secret|variables/);
  });
});

function many(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`v${at}`, at]));
}

describe("a matrix of a job.yaml", () => {
  const file = {
    variables: { lr: 0.1, seed: 1, tag: "small" },
    matrix: { lr: [0.1, "1e-3"], seed: [1, 2] },
    name: `run-\${lr}-\${seed}-\${tag}`,
  };

  it("stands for all combinations, in the order of the file", () => {
    const cells = cellsOf(file, given(["tag", "large"]))!;
    assert.deepEqual(
      cells.map(({ name }) => name),
      ["lr=0.1 seed=1", "lr=0.1 seed=2", "lr=1e-3 seed=1", "lr=1e-3 seed=2"],
    );
    const last = substituteVariables(file, cells.at(-1)!.assignments) as typeof file;
    assert.equal(last.name, "run-1e-3-2-large");
    assert.deepEqual(last.matrix, file.matrix);
  });

  it("leaves the value of a variable that is given", () => {
    assert.deepEqual(
      cellsOf(file, given(["lr", "5"]))?.map(({ name }) => name),
      ["lr=5 seed=1", "lr=5 seed=2"],
    );
  });

  it("is refused for a variable that is not declared, and left to the schema where it is malformed", () => {
    assert.throws(
      () => cellsOf({ ...file, variables: {} }, given()),
      (error) => isIchainError(error, "VARIABLE_UNKNOWN"),
    );
    for (const matrix of [
      {},
      { lr: [] },
      { lr: 1 },
      { lr: [[1]] },
      { lr: Array(300).fill(1) },
      { lr: Array(100).fill(1), seed: Array(3).fill(1) },
    ]) {
      assert.equal(cellsOf({ ...file, matrix }, given()), undefined);
      assert.equal(matrixSchema.safeParse(matrix).success, false, JSON.stringify(matrix));
    }
    assert.equal(cellsOf({ variables: {} }, given()), undefined);
  });
});
