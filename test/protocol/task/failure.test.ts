import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Failure,
  failureIn,
  failureKinds,
  failureNote,
  failureText,
  isFailurePaid,
  isOwnExitCode,
  isSameFailure,
} from "../../../src/protocol/task/failure.ts";

const exit: Failure = { run: "0", kind: "exit", exitCode: 1 };

describe("a failure", () => {
  it("is what a manifest's note says, and no other note is one", () => {
    assert.deepEqual(failureIn(JSON.parse(JSON.stringify(failureNote(exit)))), exit);
    for (const note of [
      undefined,
      null,
      "failure",
      { version: 1 },
      { failure: { ...exit, run: "2" } },
      { failure: { ...exit, kind: "deadline" } },
      { failure: { ...exit, exitCode: 256 } },
      { failure: exit, more: true },
    ])
      assert.equal(failureIn(note), undefined, JSON.stringify(note));
  });

  it("is another one with another exit code, run or kind; what kills a task decides its exit code", () => {
    assert.ok(isSameFailure(exit, { ...exit }));
    for (const other of [{ exitCode: 2 }, { run: "1" }, { kind: "memory" }] as const)
      assert.ok(!isSameFailure(exit, { ...exit, ...other }), JSON.stringify(other));
    assert.ok(isSameFailure({ ...exit, kind: "memory" }, { run: "0", kind: "memory", exitCode: 137 }));
  });

  it("has the task's own exit code unless that is 0, the timer's, a shell's or a signal's", () => {
    const codes = [0, 1, 2, 123, 124, 125, 126, 127, 134, 137, 139, 255];
    assert.deepEqual(codes.filter(isOwnExitCode), [1, 2, 123]);
  });

  it("is paid where effort, validators and no GPU are in the job", () => {
    const spec = (gpus: number) => ({ resources: { cpus: 1, memory: 1, disk: 1, time: 1, gpus } });
    assert.ok(isFailurePaid({ effort: 1, validators: 1 }, spec(0)));
    assert.ok(!isFailurePaid({ effort: 0, validators: 1 }, spec(0)));
    assert.ok(!isFailurePaid({ effort: 1, validators: 0 }, spec(0)));
    assert.ok(!isFailurePaid({ effort: 1, validators: 1 }, spec(1)));
  });

  it("says which run failed, and an exit code where that tells something", () => {
    assert.match(failureText(exit), /code 1/);
    assert.match(failureText({ ...exit, run: "1" }), /measured/);
    const texts = failureKinds.map((kind) => failureText({ ...exit, kind }));
    assert.equal(new Set(texts).size, failureKinds.length);
    assert.equal(texts.filter((text) => text.includes("code")).length, 1);
  });
});
