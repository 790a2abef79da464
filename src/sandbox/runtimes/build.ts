import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import { impossible } from "../../errors/error.ts";
import type { RuntimeImage } from "../../ports/sandbox.ts";
import type { Engine, EngineImage } from "../engines/engine.ts";
import { type BootstrapOptions, bootstrap, reproducibleSteps } from "./bootstrap.ts";
import { type RecipeFolders, readRecipe } from "./find-recipe.ts";
import { moduleHash } from "./module.ts";
import { RECIPE_LABEL, recipeHash, repository } from "./recipe.ts";

/**
 * Builds the runtime `name`, imports it into the engine and returns its root-filesystem digest. Does nothing when the
 * engine holds an image of the same recipe. Building takes a minute or two and needs root and `mmdebstrap`.
 * @throws RUNTIME_BUILD_FAILED, the codes of `readRecipe`
 */
export async function buildRuntime(
  engine: Engine,
  name: string,
  options: BootstrapOptions & RecipeFolders = {},
): Promise<RuntimeImage> {
  const recipe = await readRecipe(name, options);
  const hash = recipeHash(recipe, reproducibleSteps, await moduleHash());
  const held = await findRuntime(engine, name, options);
  if (held?.labels[RECIPE_LABEL] === hash) return { name, digest: held.digest };

  const work = await mkdtemp(join(tmpdir(), "ichain-runtime-"));
  try {
    const archive = join(work, "root.tar");
    await bootstrap(recipe, archive, options);
    options.onLog?.(`Importing ${repository(name)}`);
    await engine.importRoot(
      createReadStream(archive),
      { repository: repository(name), labels: { [RECIPE_LABEL]: hash } },
      options,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const built = await findRuntime(engine, name, options);
  return built === undefined ? impossible("an imported image is not listed") : { name, digest: built.digest };
}

/** The engine's image with the runtime's tag. */
export async function findRuntime(
  engine: Engine,
  name: string,
  options?: AbortOptions,
): Promise<EngineImage | undefined> {
  return (await engine.images(options)).find((image) => image.tags.includes(`${repository(name)}:latest`));
}
