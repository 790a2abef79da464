import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readRecipe, recipeNames } from "../../../src/sandbox/runtimes/find-recipe.ts";
import { temporaryFolder } from "../../support/binary.ts";

const minimal = "suite: trixie\npackages: [python3]\n";

function write(folder: string, name: string, text = minimal): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, "recipe.yaml"), text);
}

describe("recipes of runtimes", () => {
  it("come with ichain, and can be read", async () => {
    assert.deepEqual(await recipeNames(), ["python-ml", "python-torch"]);
    for (const name of await recipeNames()) {
      const { packages, components } = await readRecipe(name);
      assert.ok(packages.includes("python3-numpy"), name);
      assert.deepEqual(components, ["main"]);
    }
  });

  it("are known by name, never by path", async () => {
    for (const name of ["nothing", "../python-ml", "/etc", ""]) {
      await assert.rejects(readRecipe(name), { code: "RUNTIME_UNKNOWN" });
    }
  });

  it("are found in folders of the owner's, with the components of Debian that they name", async () => {
    using folder = temporaryFolder();
    const folders = { recipes: [folder.path, folder.path] };
    write(folder.path, "mine", `${minimal}components: [main, contrib]\n`);
    mkdirSync(folder.join("notes"));
    writeFileSync(folder.join("README.md"), "");
    assert.deepEqual(await recipeNames(folders), ["mine", "python-ml", "python-torch"]);
    assert.deepEqual(await readRecipe("mine", folders), {
      suite: "trixie",
      components: ["main", "contrib"],
      packages: ["python3"],
      prune: [],
    });
    await assert.rejects(readRecipe("mine"), { code: "RUNTIME_UNKNOWN" });
  });

  it("never take a name that another recipe has", async () => {
    using folder = temporaryFolder();
    write(folder.path, "python-ml");
    await assert.rejects(recipeNames({ recipes: [folder.path] }), { code: "RECIPE_AMBIGUOUS" });
    const two = [folder.join("a"), folder.join("b")];
    for (const one of two) write(one, "mine");
    await assert.rejects(readRecipe("mine", { recipes: two }), { code: "RECIPE_AMBIGUOUS" });
  });

  it("of a folder that is missing or has too many entries are an error, and so are names no image can have", async () => {
    using folder = temporaryFolder();
    await assert.rejects(recipeNames({ recipes: [folder.join("none")] }), { code: "RECIPES_UNREADABLE" });
    write(folder.path, "Mine");
    await assert.rejects(recipeNames({ recipes: [folder.path] }), { code: "RECIPE_MALFORMED" });
    mkdirSync(folder.join("many"));
    for (let i = 0; i <= 1000; i++) writeFileSync(folder.join(`many/${i}`), "");
    await assert.rejects(recipeNames({ recipes: [folder.join("many")] }), { code: "RECIPES_UNREADABLE" });
  });

  const malformed = {
    "no YAML": "suite: [",
    nothing: "",
    "an unknown field": `${minimal}hooks: [reboot]\n`,
    "an option in place of a package": "suite: trixie\npackages: [--customize-hook=reboot]\n",
    "two words in place of a suite": "suite: trixie deb\npackages: [python3]\n",
    "a component that Debian does not have": `${minimal}components: [universe]\n`,
    "a component twice": `${minimal}components: [main, main]\n`,
    "no component": `${minimal}components: []\n`,
    "a path that leaves the root": `${minimal}prune: [usr/../../etc]\n`,
    "more than 64 KiB": `${minimal}#${"x".repeat(2 ** 16)}\n`,
  };
  for (const [what, text] of Object.entries(malformed)) {
    it(`with ${what} are refused by the file's path`, async () => {
      using folder = temporaryFolder();
      write(folder.path, "mine", text);
      await assert.rejects(readRecipe("mine", { recipes: [folder.path] }), (error: Error) => {
        assert.equal((error as Error & { code: string }).code, "RECIPE_MALFORMED");
        return error.message.includes(folder.join("mine/recipe.yaml"));
      });
    });
  }
});
