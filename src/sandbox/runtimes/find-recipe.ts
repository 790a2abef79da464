import { opendir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { IchainError } from "../../errors/error.ts";
import { type Recipe, recipeSchema } from "./recipe.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_ENTRIES = 1000;
const MAX_BYTES = 64 * 1024;

/** The recipes that come with ichain. */
const ownFolder = fileURLToPath(new URL("../../../runtimes", import.meta.url));

export interface RecipeFolders {
  /** Folders of recipes beside those that come with ichain, absolute: `<folder>/<name>/recipe.yaml`. */
  readonly recipes?: readonly string[] | undefined;
}

/**
 * Names of all recipes, sorted.
 * @throws RECIPES_UNREADABLE, RECIPE_AMBIGUOUS, RECIPE_MALFORMED for a folder whose name cannot be a runtime's
 */
export async function recipeNames(folders: RecipeFolders = {}): Promise<string[]> {
  return [...(await findRecipes(folders)).keys()].sort();
}

/**
 * Reads the recipe of the runtime `name`.
 * @throws RUNTIME_UNKNOWN, RECIPE_MALFORMED, RECIPES_UNREADABLE, RECIPE_AMBIGUOUS
 */
export async function readRecipe(name: string, folders: RecipeFolders = {}): Promise<Recipe> {
  const found = await findRecipes(folders);
  const path = found.get(name);
  if (path === undefined) {
    throw new IchainError(
      "RUNTIME_UNKNOWN",
      `There is no recipe for a runtime named ${JSON.stringify(name.slice(0, 64))}.`,
      { hint: `Recipes here: ${[...found.keys()].sort().join(", ")}.` },
    );
  }
  if ((await stat(path)).size > MAX_BYTES) throw malformed(path, "it is larger than 64 KiB");
  let value: unknown;
  try {
    value = parse(await readFile(path, "utf8"), { logLevel: "error" });
  } catch (cause) {
    throw malformed(path, (cause as Error).message.split("\n")[0]!, cause);
  }
  const parsed = recipeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0]!;
  throw malformed(path, `${field.join(".") || "the file"}: ${message}`, parsed.error);
}

/** Path of each recipe.yaml by its runtime's name. */
async function findRecipes({ recipes = [] }: RecipeFolders): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of new Set([ownFolder, ...recipes])) {
    for (const name of await namesIn(folder)) {
      const path = join(folder, name, "recipe.yaml");
      if (!NAME.test(name)) {
        throw malformed(path, "a runtime's name has small letters, digits and ._- and at most 64 of them");
      }
      const other = found.get(name);
      if (other !== undefined) {
        throw new IchainError(
          "RECIPE_AMBIGUOUS",
          `Two recipes are for a runtime named ${name}: ${other} and ${path}.`,
        );
      }
      found.set(name, path);
    }
  }
  return found;
}

/** Names of the folders in `folder` that have a recipe.yaml. */
async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  let entries = 0;
  try {
    for await (const { name } of await opendir(folder)) {
      if (++entries > MAX_ENTRIES) break;
      const recipe = await stat(join(folder, name, "recipe.yaml")).catch(() => undefined);
      if (recipe?.isFile()) names.push(name);
    }
  } catch (cause) {
    throw unreadable(folder, `cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (entries > MAX_ENTRIES) throw unreadable(folder, `has more than ${MAX_ENTRIES} entries`);
  return names;
}

function unreadable(folder: string, why: string, cause?: unknown): IchainError {
  return new IchainError("RECIPES_UNREADABLE", `The folder of recipes ${folder} ${why}.`, { cause });
}

function malformed(path: string, why: string, cause?: unknown): IchainError {
  return new IchainError("RECIPE_MALFORMED", `The recipe ${path} is malformed: ${why.replace(/\.?$/, ".")}`, {
    cause,
  });
}
