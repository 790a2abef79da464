import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type AbortOptions, linkSignals } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { BundledImage, ImageBounds } from "../../ports/sandbox.ts";
import type { Engine, EngineImage, EngineInfo } from "../engines/engine.ts";
import { checkImage, ORIGIN_LABEL } from "../images.ts";
import { repository } from "../runtimes/recipe.ts";
import { checkArchive } from "./archive.ts";
import { packContext } from "./context.ts";
import { plainDockerfile } from "./dockerfile.ts";
import { withinBounds } from "./within-bounds.ts";

const DOCKERFILE = ".ichain.Dockerfile";
/** Label on the layers of one build, and so on the containers in which its steps run. */
const BUILD_LABEL = "ichain.build";
/** What an engine gets to end the containers of a failed build. */
const END_MS = 30_000;
const POLL_MS = 50;

interface Place {
  readonly engine: Engine;
  readonly info: EngineInfo;
  /** Owner of the image: only this instance removes it. */
  readonly instance: string;
}

/**
 * Builds or imports the image that came with a bundle and returns its root-filesystem digest. `bounds` limits the time
 * and the space on the engine's disk.
 * @throws IMAGE_MALFORMED, DOCKERFILE_REFUSED, IMAGE_BUILD_FAILED, IMAGE_REFUSED
 */
export async function buildBundledImage(
  place: Place,
  image: BundledImage,
  bounds: ImageBounds,
  { signal }: AbortOptions = {},
): Promise<string> {
  return withinBounds(place.info.rootDir, bounds, { signal, failed }, async (all) => {
    try {
      const made =
        "archive" in image ? await load(place, image, bounds, all) : await build(place, image, bounds, all);
      checkImage(made);
      return made.digest;
    } catch (error) {
      if (isIchainError(error, "ENGINE_REFUSED") && !all.aborted)
        throw failed("the engine refused it", error);
      throw error;
    }
  });
}

async function load(
  { engine, instance }: Place,
  { dir, archive, digest }: Extract<BundledImage, { archive: string }>,
  { maxBytes }: ImageBounds,
  signal: AbortSignal,
): Promise<EngineImage> {
  const held = (await engine.images({ signal })).find((one) => one.digest === digest);
  if (held) return held;
  const path = await plainFile(dir, archive);
  await checkArchive(path, { digest, maxBytes }, { signal });
  const name = `ichain-bundle/${digest.slice(7, 23)}`;
  await engine.importRoot(
    createReadStream(path),
    { repository: name, labels: { [ORIGIN_LABEL]: instance } },
    { signal },
  );
  return tagged(engine, name, signal);
}

async function build(
  { engine, info, instance }: Place,
  { dir, dockerfile }: Extract<BundledImage, { dockerfile: string }>,
  { memoryBytes, cpus }: ImageBounds,
  signal: AbortSignal,
): Promise<EngineImage> {
  const text = await readFile(await plainFile(dir, dockerfile), "utf8");
  const held = await engine.images({ signal });
  const id = randomUUID();
  const labels = { [ORIGIN_LABEL]: instance, [BUILD_LABEL]: id };
  const plain = plainDockerfile(text, (name) => baseOf(held, name)?.id, labels);
  const name = `ichain-bundle/${id}`;
  const files = packContext(dir, { [DOCKERFILE]: plain }, { signal });
  const limits = { memoryBytes: Math.min(memoryBytes, info.memoryBytes), cpus: Math.min(cpus, info.cpus) };
  try {
    await engine.build(files, { dockerfile: DOCKERFILE, repository: name, ...limits }, { signal });
  } catch (error) {
    await containersEnd(engine, id);
    throw error;
  }
  return tagged(engine, name, signal);
}

/** An engine answers an aborted build before it has ended the build's container, which goes on filling the disk. */
async function containersEnd(engine: Engine, build: string): Promise<void> {
  using limit = linkSignals([], END_MS);
  const { signal } = limit;
  try {
    while ((await engine.list({ [BUILD_LABEL]: build }, { signal })).length > 0)
      await pause(POLL_MS, undefined, { signal });
  } catch {
    // The engine does not answer, or is slow; `trim` removes the images once no container needs them.
  }
}

/** A held runtime by name or digest. Never an image that came with a job. */
function baseOf(held: readonly EngineImage[], name: string): EngineImage | undefined {
  return held.find(
    ({ tags, digest, labels }) =>
      labels[ORIGIN_LABEL] === undefined && (digest === name || tags.includes(`${repository(name)}:latest`)),
  );
}

async function tagged(engine: Engine, name: string, signal: AbortSignal): Promise<EngineImage> {
  const made = (await engine.images({ signal })).find(({ tags }) => tags.includes(`${name}:latest`));
  if (made) return made;
  throw failed("the engine does not list it");
}

/**
 * The path of a regular file in an opened bundle.
 * @throws IMAGE_MALFORMED
 */
async function plainFile(dir: string, path: string): Promise<string> {
  const found = await lstat(join(dir, path)).catch(() => undefined);
  if (found?.isFile() && !path.split("/").includes("..")) return join(dir, path);
  throw new IchainError("IMAGE_MALFORMED", `The bundle has no file ${JSON.stringify(path.slice(0, 200))}.`, {
    hint: "Put the image of a job among its inputs.",
    details: { why: "its image is not in the bundle" },
  });
}

function failed(why: string, cause?: unknown): IchainError {
  return new IchainError("IMAGE_BUILD_FAILED", `The job's image could not be built: ${why}.`, {
    hint: "Test the build on your own machine without network; the provider's policy limits its time and size.",
    cause,
    details: { why: `its image could not be built: ${why}` },
  });
}
