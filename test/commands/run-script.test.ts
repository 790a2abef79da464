import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { CommandContext } from "../../src/commands/framework/declaration.ts";
import { jobOfScript, type ScriptOptions, scriptJob } from "../../src/commands/run/script.ts";
import { loadJobFile } from "../../src/commands/steps/job-file.ts";
import { exitCodes } from "../../src/errors/entry.ts";
import { isIchainError } from "../../src/errors/error.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

const plain = "print(f'rmse: {error}')\n";
const convention = 'import sys\nif sys.argv[1] == "0":\n  fit()\nprint("acc:", acc)\n';
const made = (name: string, text: string, args: readonly string[] = [], options: ScriptOptions = {}) =>
  scriptJob(name, text, args, { metric: "acc", threshold: 0.5, ...options }) as {
    command: string[];
    verification: { mode: string };
  };

/** A terminal at which `answers` are given, in this order; none answers in CI. */
function asking(answers?: readonly string[]) {
  const left = [...(answers ?? [])];
  const questions: string[] = [];
  const ui = {
    interactive: answers !== undefined,
    reporter: { emit: () => undefined },
    prompts: {
      input: async (question: string, byDefault?: string) => {
        questions.push(question);
        return left.shift() || byDefault || "";
      },
    },
  };
  return { context: { ui } as unknown as CommandContext, questions };
}

describe("the job of a script", () => {
  it("runs it in /out, without the argument that it does not expect", () => {
    const { command, verification } = made("x.py", plain, ["--lr", "0.1"]);
    assert.deepEqual(command, ["sh", "-c", "cd /out && exec python3 /in/x.py --lr 0.1"]);
    assert.equal(verification.mode, "replicate");
  });

  it("passes 0 and 1 to one that tells them apart, which is measured by evaluating", () => {
    for (const text of [convention, "if sys.argv[1:] == ['0']: fit()\n"]) {
      const { command, verification } = made("x.py", text);
      assert.deepEqual(
        [command[2], verification.mode],
        ['cd /out && exec python3 /in/x.py "$0"', "evaluate"],
      );
    }
    const flag = 'if os.environ.get("DEBUG") == "1": log()\n';
    assert.equal(made("x.py", `${flag}${plain}`).verification.mode, "replicate");
    assert.equal(made("x.py", `${flag}${convention}`).verification.mode, "evaluate");
    assert.equal(made("x.sh", 'if [ "$1" = 0 ]; then fit; fi\n').verification.mode, "evaluate");
    assert.equal(made("x.py", convention, [], { mode: "digest" }).verification.mode, "digest");
  });

  it("hands words and variables over as they are, whatever a shell would make of them", () => {
    const hostile = ["it's", "a b", "$HOME", "`id`", "; exit 3", "", "*", '"'];
    const env = [["A", "x'; exit 4; '"]] as const;
    const line = made("x.py", plain, hostile, { env }).command[2]!;
    const print = line.replace("cd /out && exec", "exec").replace("python3 /in/x.py", `printf '%s|'`);
    assert.equal(execFileSync("sh", ["-c", print, "0"], { encoding: "utf8" }), `${hostile.join("|")}|`);
    const shown = line.replace("cd /out && exec", "exec").replace(/python3.*/, `sh -c 'printf %s "$A"'`);
    assert.equal(execFileSync("sh", ["-c", shown, "0"], { encoding: "utf8" }), env[0][1]);
  });

  it("asks for what is missing, with the metric that the script prints as the answer to take", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.join("x.py"), plain);
    const { context, questions } = asking(["", "0.5"]);
    const { file } = await jobOfScript(context, folder.join("x.py"), [], { goal: "min" });
    const { metric, threshold, goal } = file.verification;
    assert.deepEqual([metric, threshold, goal, questions.length], ["rmse", 0.5, "min", 2]);
    assert.equal(existsSync(folder.join("job.yaml")), false);
    const known = asking([]);
    await jobOfScript(known.context, folder.join("x.py"), [], { metric: "acc", threshold: 1 });
    assert.deepEqual(known.questions, []);
    const silent = jobOfScript(asking(["", "high"]).context, folder.join("x.py"), [], {});
    await assert.rejects(silent, (error) => isIchainError(error, "USAGE"));
  });

  it("is kept beside the script with --save, once, and is read as the same job again", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.join("x.py"), plain);
    writeFileSync(folder.join("data.csv"), "");
    const options = {
      threshold: 0.5,
      gpu: 2,
      time: "2h",
      input: ["data.csv"],
      output: ["m"],
      save: "job.yaml",
    };
    const save = () => jobOfScript(asking().context, folder.join("x.py"), ["a b"], options);
    const { file } = await save();
    assert.deepEqual((await loadJobFile(folder.join("job.yaml"))).file, file);
    const { resources, inputs, outputs } = file;
    assert.deepEqual(
      [resources.gpus, resources.time, inputs, outputs],
      [2, 7200, ["x.py", "data.csv"], ["m"]],
    );
    const before = readFileSync(folder.join("job.yaml"), "utf8");
    await assert.rejects(save(), (error) => isIchainError(error, "TARGET_EXISTS"));
    assert.equal(readFileSync(folder.join("job.yaml"), "utf8"), before);
  });

  for (const [what, args, code] of [
    ["without a threshold", ["x.py"], "USAGE"],
    ["that does not exist", ["y.py", "--threshold", "1"], "JOB_UNREADABLE"],
    ["with an input that does not exist", ["x.py", "--threshold", "1", "--input", "z"], "INPUT_MISSING"],
    ["with a time that is none", ["x.py", "--threshold", "1", "--time", "soon"], "JOB_INVALID"],
    ["to be kept elsewhere", ["x.py", "--threshold", "1", "--save", "../job.yaml"], "USAGE"],
    ["whose option is given to a job.yaml", ["x.yaml", "--gpu", "1"], "USAGE"],
    ["whose arguments are given to a job.yaml", ["x.yaml", "--", "a"], "USAGE"],
  ] as const) {
    it(`${what} is refused with one sentence and one hint where nobody can be asked`, async () => {
      using folder = temporaryFolder();
      writeFileSync(folder.join("x.py"), plain);
      const [file, ...rest] = args;
      const { code: status, stderr } = await ichainRun(["run", folder.join(file), ...rest], { CI: "1" });
      assert.equal(status, exitCodes.usage);
      assert.match(stderr, new RegExp(`error .+ \\[${code}\\]\\nhint {2}.+\\n$`));
      assert.equal(existsSync(folder.join("job.yaml")), false);
    });
  }
});
