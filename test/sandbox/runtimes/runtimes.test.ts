import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";
import { rootDigest } from "../../../src/sandbox/images.ts";
import { bootstrap } from "../../../src/sandbox/runtimes/bootstrap.ts";
import { buildRuntime } from "../../../src/sandbox/runtimes/build.ts";
import { checkRuntime } from "../../../src/sandbox/runtimes/check.ts";
import { readRecipe } from "../../../src/sandbox/runtimes/find-recipe.ts";
import { moduleHash } from "../../../src/sandbox/runtimes/module.ts";
import { type Recipe, recipeHash } from "../../../src/sandbox/runtimes/recipe.ts";
import { DEFAULT_SOCKET } from "../../../src/sandbox/sandbox.ts";
import { needs } from "../../support/require.ts";
import { testModuleIn } from "../../support/sandbox/python-module.ts";

test(
  "two builds from the same packages give the same bytes",
  needs("root", "mmdebstrap", "alone"),
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), "ichain-runtimes-"));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const recipe: Recipe = {
      suite: "bookworm",
      // unrar is in non-free, and the build fails where a package is not found.
      components: ["main", "non-free"],
      packages: ["python3", "unrar"],
      prune: ["usr/share/doc"],
    };
    const build = async (name: string) => {
      await bootstrap(recipe, join(dir, name));
      const hash = createHash("sha256");
      await pipeline(createReadStream(join(dir, name)), hash);
      return hash.digest("hex");
    };
    const [one, two] = await Promise.all(["one.tar", "two.tar"].map(build));
    assert.equal(one, two);
  },
);

test("a runtime that the engine holds is not built again", needs("docker"), async () => {
  const engine = dockerEngine({ socketPath: DEFAULT_SOCKET });
  const first = await buildRuntime(engine, "python-ml");
  const lines: string[] = [];
  assert.deepEqual(await buildRuntime(engine, "python-ml", { onLog: (line) => lines.push(line) }), first);
  assert.deepEqual(lines, []);
  assert.match(first.digest, /^sha256:[0-9a-f]{64}$/);
  const checked = await checkRuntime(engine, "python-ml");
  assert.deepEqual([checked.state, checked.digest], ["ready", first.digest]);
});

test("a runtime has the module ichain, which passes its tests there", needs("docker"), async () => {
  await buildRuntime(dockerEngine({ socketPath: DEFAULT_SOCKET }), "python-ml");
  testModuleIn("python-ml");
});

test("an image is built again when its recipe, the steps or the module change", async () => {
  const recipe = await readRecipe("python-ml");
  const hash = recipeHash(recipe, ["step"], "module");
  assert.equal(recipeHash({ ...recipe }, ["step"], "module"), hash);
  assert.notEqual(recipeHash({ ...recipe, packages: ["python3"] }, ["step"], "module"), hash);
  assert.notEqual(recipeHash({ ...recipe, components: ["main", "contrib"] }, ["step"], "module"), hash);
  assert.notEqual(recipeHash(recipe, ["other"], "module"), hash);
  assert.notEqual(recipeHash(recipe, ["step"], "other"), hash);
  assert.match(await moduleHash(), /^[0-9a-f]{64}$/);
});

test("the digest of one layer is its diffID, and that of several is their chain id", () => {
  const [a, b] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  assert.equal(rootDigest([a]), a);
  const chained = createHash("sha256").update(`${a} ${b}`).digest("hex");
  assert.equal(rootDigest([a, b]), `sha256:${chained}`);
});
