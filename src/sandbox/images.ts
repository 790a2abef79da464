import { createHash } from "node:crypto";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Engine, EngineImage } from "./engines/engine.ts";

/** Repository of the tags of pulled images, which no image brings: an engine gives a tag only where it is asked to. */
export const PULLED = "ichain-pulled";

/** Whether this image was adopted from a registry. */
export function isPulled({ tags }: Pick<EngineImage, "tags">): boolean {
  return tags.some((tag) => tag.startsWith(`${PULLED}/`));
}

/** Label on images that came with a job's bundle: the instance that made them. */
export const ORIGIN_LABEL = "ichain.origin";

/**
 * Variables that an image may set: those of the usual Debian, Python, CUDA and PyTorch images. They say where the image's
 * own programs and libraries are, and nothing to the engine. Others could: NVIDIA's runtime gives devices by NVIDIA_*
 * variables, of which a task's container fixes the two that count (`taskEnvironment`), and the rest only name versions
 * or let a start fail.
 */
const ALLOWED_ENV = new RegExp(
  `^(${[
    ...["PATH", "LANG", "LC_[A-Z]+", "TZ", "TERM", "SHELL", "DEBIAN_FRONTEND", "GPG_KEY"],
    ...["(PYTHON|PIP|CONDA|MAMBA|UV)_[A-Z0-9_]+", "PYTHON(UNBUFFERED|DONTWRITEBYTECODE|IOENCODING)"],
    ...["LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "PKG_CONFIG_PATH", "XDG_DATA_DIRS"],
    ...[
      "(CUDA|CUDNN|CUBLAS|CUFFT|CURAND|CUSPARSE|CUSOLVER|NCCL|NPP|NVJPEG|TORCH|PYTORCH|TENSORRT|TF|XLA)[A-Z0-9_]*",
    ],
    ...[
      "NVARCH",
      "NV_[A-Z0-9_]+",
      "NVIDIA_(VISIBLE_DEVICES|DRIVER_CAPABILITIES|PRODUCT_NAME|REQUIRE_[A-Z0-9_]+)",
    ],
    ...["NVIDIA_([A-Z0-9]+_)*(VERSION|BUILD_ID|BUILD_REF)"],
  ].join("|")})=`,
);

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
  const held = (await engine.images(options)).filter((one) => one.digest === digest);
  // The same layers may have an operator's name too: which programs are in them is known of the pulled one alone.
  const image = held.find(isPulled) ?? held[0];
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
