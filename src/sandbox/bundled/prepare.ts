import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { BundledImage, ImageBounds } from "../../ports/sandbox.ts";
import type { Engine, EngineImage, EngineInfo } from "../engines/engine.ts";
import { checkImage, ORIGIN_LABEL } from "../images.ts";
import { repository } from "../runtimes/recipe.ts";
import { checkArchive } from "./archive.ts";
import { packContext } from "./context.ts";
import { plainDockerfile } from "./dockerfile.ts";
import { watchFreeSpace } from "./free-space.ts";

const DOCKERFILE = ".ichain.Dockerfile";

interface Place {
  readonly engine: Engine;
  readonly info: EngineInfo;
  /** Whose image it becomes: only this instance removes it again. */
  readonly instance: string;
}

/**
 * Makes the image that came with a bundle present in the engine and returns its root-filesystem digest.
 * Bounded in time and in what it may take of the engine's disk. Throws `IMAGE_MALFORMED` (class
 * `untrusted`), `DOCKERFILE_REFUSED`, `IMAGE_BUILD_FAILED` or `IMAGE_REFUSED` (class `refused`).
 */
export async function buildBundledImage(
  place: Place,
  image: BundledImage,
  bounds: ImageBounds,
  { signal }: AbortOptions = {},
): Promise<string> {
  using room = watchFreeSpace(place.info.rootDir, bounds.maxBytes);
  const late = AbortSignal.timeout(bounds.seconds * 1000);
  const all = AbortSignal.any([room.signal, late, ...(signal ? [signal] : [])]);
  try {
    const made =
      "archive" in image ? await load(place, image, bounds, all) : await build(place, image, bounds, all);
    checkImage(made);
    return made.digest;
  } catch (error) {
    signal?.throwIfAborted();
    if (late.aborted) throw failed(`it took more than ${bounds.seconds} s`, error);
    if (room.signal.aborted) throw failed(`it took more than ${bounds.maxBytes} bytes of the disk`, error);
    if (isIchainError(error, "ENGINE_REFUSED")) throw failed("the engine refused it", error);
    throw error;
  }
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
  const plain = plainDockerfile(text, (name) => baseOf(held, name)?.id, instance);
  const name = `ichain-bundle/${createHash("sha256").update(`${plain}${randomUUID()}`).digest("hex").slice(0, 16)}`;
  const files = packContext(dir, { [DOCKERFILE]: plain }, { signal });
  const limits = { memoryBytes: Math.min(memoryBytes, info.memoryBytes), cpus: Math.min(cpus, info.cpus) };
  await engine.build(files, { dockerfile: DOCKERFILE, repository: name, ...limits }, { signal });
  return tagged(engine, name, signal);
}

/** A runtime by its name, or one by its digest; never what another job brought. */
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

/** A regular file of an opened bundle, which holds nothing else. */
async function plainFile(dir: string, path: string): Promise<string> {
  const found = await lstat(join(dir, path)).catch(() => undefined);
  if (found?.isFile() && !path.split("/").includes("..")) return join(dir, path);
  throw new IchainError("IMAGE_MALFORMED", `The bundle has no file ${JSON.stringify(path.slice(0, 200))}.`, {
    hint: "The image of a job lies among its inputs.",
    details: { why: "its image is not in the bundle" },
  });
}

function failed(why: string, cause?: unknown): IchainError {
  return new IchainError("IMAGE_BUILD_FAILED", `The job's image could not be made: ${why}.`, {
    hint: "Build it at home without network first; the provider's policy bounds time and size.",
    cause,
    details: { why: `its image could not be made: ${why}` },
  });
}
