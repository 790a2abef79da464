import type { AbortOptions } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { ImageBounds, PulledImage } from "../ports/sandbox.ts";
import { packContext } from "./bundled/context.ts";
import { withinBounds } from "./bundled/within-bounds.ts";
import type { Engine, EngineImage, EngineInfo } from "./engines/engine.ts";
import { checkImage, isPulled, ORIGIN_LABEL, PULLED } from "./images.ts";

/**
 * Lets the engine pull an image by the digest of its manifest, and returns its root-filesystem digest. One that the
 * engine holds under that digest, its operator's own too, is not pulled again. `bounds` limits the time and the space on
 * the engine's disk.
 * @throws IMAGE_PULL_FAILED, IMAGE_REFUSED
 */
export function pullImage(
  { engine, info, instance }: { engine: Engine; info: EngineInfo; instance: string },
  { oci }: PulledImage,
  bounds: ImageBounds,
  { signal }: AbortOptions = {},
): Promise<string> {
  const failed = (why: string, cause?: unknown) => pullFailed(oci, why, cause);
  return withinBounds(info.rootDir, bounds, { signal, failed }, async (bounded) => {
    const held = await find(engine, oci, bounded);
    if (held && isPulled(held)) return usable(held);
    if (!held) await pull(engine, oci, bounded, failed);
    const image = held ?? (await find(engine, oci, bounded));
    if (!image) throw failed("the engine does not list it");
    try {
      const digest = usable(image);
      await adopt(engine, image, { oci, instance }, bounded);
      return digest;
    } finally {
      // The copy with this instance's label is kept, or nothing; other names of the same image are not ours.
      const manifest = manifestOf(oci);
      const references = image.references.filter((one) => one.endsWith(manifest));
      if (!held) await engine.removeImage({ ...image, tags: [], references });
    }
  });
}

async function pull(
  engine: Engine,
  oci: string,
  signal: AbortSignal,
  failed: (why: string, cause: unknown) => IchainError,
): Promise<void> {
  try {
    await engine.pull(oci, { signal });
  } catch (error) {
    if (!isIchainError(error, "ENGINE_REFUSED")) throw error;
    throw failed(reasonOf(error), error);
  }
}

/** Never by a label: an image brings its own. */
async function find(engine: Engine, oci: string, signal: AbortSignal): Promise<EngineImage | undefined> {
  const manifest = manifestOf(oci);
  const images = await engine.images({ signal });
  const tag = `${repositoryOf(oci)}:latest`;
  return (
    images.find(({ tags }) => tags.includes(tag)) ??
    images.find(({ references }) => references.some((one) => one.endsWith(manifest)))
  );
}

function usable(image: EngineImage): string {
  checkImage(image);
  return image.digest;
}

/** The same layers with the label by which `trim` knows what this instance brought. */
async function adopt(
  engine: Engine,
  { id }: EngineImage,
  { oci, instance }: { oci: string; instance: string },
  signal: AbortSignal,
): Promise<void> {
  const dockerfile = "Dockerfile";
  const text = `FROM ${id}\nLABEL ${ORIGIN_LABEL}=${JSON.stringify(instance)}\n`;
  const files = packContext(undefined, { [dockerfile]: text }, { signal });
  const limits = { memoryBytes: 2 ** 28, cpus: 1 };
  await engine.build(files, { dockerfile, repository: repositoryOf(oci), ...limits }, { signal });
}

/** `@sha256:…`: the same content under any name. */
const manifestOf = (oci: string) => oci.slice(oci.indexOf("@"));

const repositoryOf = (oci: string) => `${PULLED}/${manifestOf(oci).slice("@sha256:".length)}`;

/** What an engine's words mean; they are not passed on, because a hostile registry chose some of them. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [
    /digest|unexpected commit|verification failed|filesystem layer/i,
    "its registry sends something else than the digest names",
  ],
  [/unknown|not found|does not exist/i, "its registry does not have it"],
  [/denied|unauthorized|authentication/i, "its registry asks for a login"],
  [/no matching manifest|platform/i, "its registry has it for other machines only"],
  [
    /refused|timeout|timed out|no such host|EOF|reset|unreachable|TLS|x509|redirect|lookup|canceled/i,
    "its registry does not answer as one",
  ],
];

function reasonOf(error: IchainError): string {
  const said = String((error.cause as { message?: unknown } | undefined)?.message);
  return reasons.find(([words]) => words.test(said))?.[1] ?? "the engine could not pull it";
}

function pullFailed(oci: string, why: string, cause: unknown): IchainError {
  return new IchainError("IMAGE_PULL_FAILED", `The image ${oci} could not be pulled: ${why}.`, {
    cause,
    details: { why: `its image could not be pulled: ${why}` },
  });
}
