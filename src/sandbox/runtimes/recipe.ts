import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { IchainError } from "../../errors/error.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const folder = z
  .string()
  .regex(/^[a-z0-9][A-Za-z0-9._/-]*$/)
  .refine((path) => !path.split("/").includes(".."));

export const recipeSchema = z.strictObject({
  /** Debian release. */
  suite: z.string().regex(/^[a-z]{1,32}$/),
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]{0,99}$/))
    .min(1)
    .max(200),
  /** Folders, relative to the root, whose files are not installed. */
  prune: z.array(folder).max(50).default([]),
});
export type Recipe = z.infer<typeof recipeSchema>;

const root = fileURLToPath(new URL("../../../runtimes/", import.meta.url));

/** Names of the recipes that come with ichain. */
export async function recipeNames(): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * Reads `runtimes/<name>/recipe.yaml`.
 * @throws RUNTIME_UNKNOWN, RECIPE_MALFORMED
 */
export async function readRecipe(name: string): Promise<Recipe> {
  if (!NAME.test(name) || !(await recipeNames()).includes(name)) {
    throw new IchainError(
      "RUNTIME_UNKNOWN",
      `There is no recipe for a runtime named ${JSON.stringify(name.slice(0, 64))}.`,
      { hint: `Recipes here: ${(await recipeNames()).join(", ")}.` },
    );
  }
  const parsed = recipeSchema.safeParse(parse(await readFile(`${root}${name}/recipe.yaml`, "utf8")));
  if (parsed.success) return parsed.data;
  throw new IchainError("RECIPE_MALFORMED", `The recipe of the runtime ${name} is malformed.`, {
    hint: `Correct runtimes/${name}/recipe.yaml: ${parsed.error.issues[0]?.message ?? "see its schema"}.`,
    cause: parsed.error,
  });
}

/** Label on images built from a recipe: the recipe's hash. */
export const RECIPE_LABEL = "ichain.recipe";

/** Repository of a runtime's tag. */
export function repository(name: string): string {
  return `ichain/${name}`;
}

/**
 * Hash of a recipe, of the build steps (`reproducibleSteps`) and of the module that they install (`moduleHash`). An
 * image with another hash is built again.
 */
export function recipeHash(recipe: Recipe, steps: readonly string[], module: string): string {
  return createHash("sha256")
    .update(JSON.stringify([recipe.suite, recipe.packages, recipe.prune, steps, module]))
    .digest("hex");
}
