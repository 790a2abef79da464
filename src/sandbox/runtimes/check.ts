import type { AbortOptions } from "../../async/abort.ts";
import type { Engine } from "../engines/engine.ts";
import { checkImage } from "../images.ts";
import { reproducibleSteps } from "./bootstrap.ts";
import { findRuntime } from "./build.ts";
import { type RecipeFolders, readRecipe } from "./find-recipe.ts";
import { moduleHash } from "./module.ts";
import { RECIPE_LABEL, recipeHash } from "./recipe.ts";

export interface RuntimeCheck {
  readonly name: string;
  readonly digest: string | undefined;
  readonly bytes: number | undefined;
  /** `stale`: built from another version of the recipe; `refused`: `checkImage` refuses its own settings. */
  readonly state: "ready" | "absent" | "stale" | "refused";
}

/**
 * Whether the engine holds the runtime `name`, built from its present recipe and usable.
 * @throws the codes of `readRecipe`
 */
export async function checkRuntime(
  engine: Engine,
  name: string,
  options?: AbortOptions & RecipeFolders,
): Promise<RuntimeCheck> {
  const hash = recipeHash(await readRecipe(name, options), reproducibleSteps, await moduleHash());
  const held = await findRuntime(engine, name, options);
  if (held === undefined) return { name, digest: undefined, bytes: undefined, state: "absent" };
  const found = { name, digest: held.digest, bytes: held.bytes };
  try {
    checkImage(held);
  } catch {
    return { ...found, state: "refused" };
  }
  return { ...found, state: held.labels[RECIPE_LABEL] === hash ? "ready" : "stale" };
}
