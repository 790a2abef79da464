import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { type RecipeFolders, readRecipe } from "./find-recipe.ts";

/**
 * Builds the runtime `name` from the mirror's present packages, deletes the build and returns its root-filesystem
 * digest. It equals that of the held image as long as the mirror has the same packages.
 * @throws RUNTIME_BUILD_FAILED, the codes of `readRecipe`
 */
export async function rebuiltDigest(
  name: string,
  options: BootstrapOptions & RecipeFolders = {},
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "ichain-runtime-"));
  try {
    const archive = join(work, "root.tar");
    await bootstrap(await readRecipe(name, options), archive, options);
    const hash = createHash("sha256");
    await pipeline(createReadStream(archive), hash);
    return `sha256:${hash.digest("hex")}`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
