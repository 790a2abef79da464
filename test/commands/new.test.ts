import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { templates } from "../../src/config/choices.ts";
import { exitCodes } from "../../src/errors/entry.ts";
import { recipeNames } from "../../src/sandbox/runtimes/find-recipe.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";
import { needs } from "../support/require.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const lastLine = (stdout: string) => JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Line;

interface Line {
  readonly vote?: string;
  readonly files: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

describe("a new job folder", () => {
  it("is one of those that are listed", () => {
    assert.deepEqual(readdirSync(path("templates")).toSorted(), Object.keys(templates).toSorted());
  });

  it("of torch is written, for a runtime that has a recipe", async () => {
    using folder = temporaryFolder();
    const made = folder.join("made");
    const { files } = lastLine((await ichainRun(["new", "torch", made, "--json"], { CI: "1" })).stdout);
    assert.deepEqual(files, ["README.md", "job.yaml", "task.py"]);
    assert.match(readFileSync(`${made}/job.yaml`, "utf8"), /^image: python-torch$/m);
    assert.ok((await recipeNames()).includes("python-torch"));
  });

  it("is never written over what is there, nor without knowing which", async () => {
    using folder = temporaryFolder();
    const env = { CI: "1" };
    const there = await ichainRun(["new", "sklearn", folder.path, "--json"], env);
    assert.equal(lastLine(there.stdout).error?.code, "TARGET_EXISTS");
    assert.deepEqual(readdirSync(folder.path), []);
    assert.equal(lastLine((await ichainRun(["new", "--json"], env)).stdout).error?.code, "NO_TTY");
    const unknown = await ichainRun(["new", "keras", folder.join("x"), "--json"], env);
    assert.deepEqual([unknown.code, existsSync(folder.join("x"))], [exitCodes.usage, false]);
  });

  it("of federated is simulated at once", async () => {
    using folder = temporaryFolder();
    const made = folder.join("made");
    const { files } = lastLine((await ichainRun(["new", "federated", made, "--json"], { CI: "1" })).stdout);
    assert.deepEqual(files, ["README.md", "fed.yaml"]);
    const { code, stdout } = await ichainRun(["simulate", `${made}/fed.yaml`, "--json"]);
    assert.equal(code, 0, stdout);
    const end = lastLine(stdout) as unknown as { earned: { bad?: string }[] };
    assert.equal(end.earned.filter((one) => one.bad !== undefined).length, 2);
  });

  // test/torch/ has that of torch, whose runtime is large.
  for (const name of Object.keys(templates).filter((each) => !["torch", "federated"].includes(each))) {
    it(`of ${name} runs at once and would be confirmed`, needs("root", "docker"), async () => {
      using folder = temporaryFolder();
      const [made, env] = [folder.join("made"), { ICHAIN_HOME: folder.join("home"), CI: "1" }];
      const { files } = lastLine((await ichainRun(["new", name, made, "--json"], env)).stdout);
      assert.deepEqual([...files], readdirSync(made).toSorted());
      for (const file of ["job.yaml", "README.md"]) assert.ok(files.includes(file), file);
      const args = ["run", "--local", `${made}/job.yaml`, "-o", folder.join("out"), "--json"];
      const { vote, error } = lastLine((await ichainRun(args, env)).stdout);
      assert.equal(vote, "pass", error?.message);
    });
  }
});

it(
  "the paper's own script runs as provider and validator, with Keras replaced and nothing else",
  needs("root", "docker"),
  async () => {
    using folder = temporaryFolder();
    const env = { ICHAIN_HOME: folder.join("home"), CI: "1" };
    const script = path("examples/figure8/figure8.py");
    const args = ["run", "--local", script, "--threshold", "0.95", "-o", folder.join("out"), "--json"];
    const { stdout } = await ichainRun(args, env);
    const { vote, error, files, ...rest } = lastLine(stdout);
    assert.equal(vote, "pass", error?.message);
    assert.deepEqual(files, ["result.pkl"]);
    const { runs } = rest as unknown as { runs: { by: string; argument: string }[] };
    const told = runs.map(({ by, argument }) => `${by} ${argument}`);
    assert.deepEqual([...new Set(told)], ["provider 0", "validator 1"]);
  },
);
