import { createHash } from "node:crypto";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Engine, EngineImage } from "./engines/engine.ts";

/** Label on images that came with a job's bundle: the instance that made them. */
export const ORIGIN_LABEL = "ichain.origin";

/** Variables that an image may set. Others could change how programs are loaded, such as LD_PRELOAD. */
const ALLOWED_ENV = /^(PATH|LANG|LC_[A-Z]+|TZ|PYTHON_VERSION|DEBIAN_FRONTEND)=/;

/**
 * Digest (`sha256:…`) of a root filesystem from its layers' diffIDs, bottom first: the diffID itself for one layer,
 * the OCI chain id for more (image-spec, config.md, "Layer ChainID").
 */
export function rootDigest(layers: readonly string[]): string {
  return layers.reduce(
    (below, layer) => `sha256:${createHash("sha256").update(`${below} ${layer}`).digest("hex")}`,
  );
}

/**
 * The engine's image with this root-filesystem digest.
 * @throws IMAGE_UNKNOWN, IMAGE_REFUSED
 */
export async function findImage(
  engine: Engine,
  digest: string,
  options?: AbortOptions,
): Promise<EngineImage> {
  const image = (await engine.images(options)).find((held) => held.digest === digest);
  if (image === undefined) {
    throw new IchainError("IMAGE_UNKNOWN", `The engine does not hold the runtime image ${digest}.`, {
      details: { digest },
    });
  }
  checkImage(image);
  return image;
}

/**
 * Refuses an image whose own settings would give its container more than the policy does.
 * @throws IMAGE_REFUSED
 */
export function checkImage(image: EngineImage): void {
  const env = image.env.find((entry) => !ALLOWED_ENV.test(entry));
  if (env !== undefined)
    throw refused(image, `sets the environment variable ${env.split("=")[0]?.slice(0, 64)}`);
  // The engine would make an anonymous writable folder without a cap for each of them.
  if (image.volumes.length > 0) throw refused(image, "declares volumes");
}

function refused(image: EngineImage, why: string): IchainError {
  return new IchainError("IMAGE_REFUSED", `The runtime image ${image.digest} ${why}.`, {
    details: { digest: image.digest },
  });
}
