import { createHash } from "node:crypto";
import { z } from "zod";

const folder = z
  .string()
  .regex(/^[a-z0-9][A-Za-z0-9._/-]*$/)
  .refine((path) => !path.split("/").includes(".."));

const MAIN = "main";

export const recipeSchema = z.strictObject({
  /** Debian release. */
  suite: z.string().regex(/^[a-z]{1,32}$/),
  /** Parts of Debian's archive from which packages come. */
  components: z
    .array(z.enum([MAIN, "contrib", "non-free", "non-free-firmware"]))
    .min(1)
    .max(4)
    .refine((list) => new Set(list).size === list.length, "must name each component once")
    .default([MAIN]),
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]{0,99}$/))
    .min(1)
    .max(200),
  /** Folders, relative to the root, whose files are not installed. */
  prune: z.array(folder).max(50).default([]),
});
export type Recipe = z.infer<typeof recipeSchema>;

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
  const { suite, components, packages, prune } = recipe;
  // Left out where it is the default, so that images from before the field was there keep their hash.
  const more = components.join() === MAIN ? [] : [components];
  return createHash("sha256")
    .update(JSON.stringify([suite, packages, prune, steps, module, ...more]))
    .digest("hex");
}
