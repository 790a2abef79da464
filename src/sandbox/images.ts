import { createHash } from "node:crypto";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Engine, EngineImage } from "./engines/engine.ts";

/** On images that came with a job's bundle: the instance that made them. */
export const ORIGIN_LABEL = "ichain.origin";

/** Environment that an image may bring: what sets up a language, nothing that steers a loader. */
const ALLOWED_ENV = /^(PATH|LANG|LC_[A-Z]+|TZ|PYTHON_VERSION|DEBIAN_FRONTEND)=/;

/**
 * Digest of a root filesystem from its layers' diffIDs, bottom first: the one diffID of a flat image,
 * the OCI chain id of a layered one (image-spec, config.md, "Layer ChainID").
 */
export function rootDigest(layers: readonly string[]): string {
  return layers.reduce(
    (below, layer) => `sha256:${createHash("sha256").update(`${below} ${layer}`).digest("hex")}`,
  );
}

/** The held image with this digest; throws `IMAGE_UNKNOWN` or `IMAGE_REFUSED`. */
export async function findImage(
  engine: Engine,
  digest: string,
  options?: AbortOptions,
): Promise<EngineImage> {
  const image = (await engine.images(options)).find((held) => held.digest === digest);
  if (image === undefined) {
    throw new IchainError("IMAGE_UNKNOWN", `The runtime image ${digest} is not held here.`, {
      details: { digest },
    });
  }
  checkImage(image);
  return image;
}

/** An image's own settings reach the container: refuse those that would widen it (`IMAGE_REFUSED`). */
export function checkImage(image: EngineImage): void {
  const env = image.env.find((entry) => !ALLOWED_ENV.test(entry));
  if (env !== undefined)
    throw refused(image, `sets the environment variable ${env.split("=")[0]?.slice(0, 64)}`);
  // A volume of the image would be an anonymous writable folder without a cap.
  if (image.volumes.length > 0) throw refused(image, "declares volumes");
}

function refused(image: EngineImage, why: string): IchainError {
  return new IchainError("IMAGE_REFUSED", `The runtime image ${image.digest} ${why}.`, {
    details: { digest: image.digest },
  });
}
