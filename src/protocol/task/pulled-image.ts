import { z } from "zod";
import { fitsPattern } from "../patterns.ts";

/** Part of a registry's path or of an image's name (distribution-spec, "Pulling manifests"). */
const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const LABEL = "[a-z0-9]+(?:-+[a-z0-9]+)*";
/** A host with a dot or a port: any other first part would mean the engine's default registry. */
const REGISTRY = `(?:${LABEL}(?:\\.${LABEL})*:[1-9][0-9]{0,4}|(?:${LABEL}\\.)+${LABEL})`;
const NAME = `${REGISTRY}(?:/${COMPONENT})+`;
const MAX_NAME = 255;

const reference = new RegExp(`^(${NAME})@sha256:[0-9a-f]{64}$`);
const pattern = /^[a-z0-9*][a-z0-9*._:-]*(?:\/[a-z0-9*._-]+)+$/;

/** `host/name@sha256:…`: the whole name, and the digest of the image's manifest or of its index of platforms. */
export const pulledImageSchema = z
  .string()
  .max(MAX_NAME + 72)
  .regex(reference, "must be host/name@sha256:…, with the registry's host and without a tag");

/** A name of an image, in which `*` stands for any part without `/`. */
export const namePatternSchema = z
  .string()
  .max(128)
  .regex(pattern, "must be a name such as docker.io/pytorch/pytorch or ghcr.io/someone/*");

/** Whether the name of a pulled image fits a pattern of `namePatternSchema`. */
export function matchesName(pattern: string, image: string): boolean {
  const name = image.slice(0, image.indexOf("@"));
  const parts = name.split("/");
  const wanted = pattern.split("/");
  return parts.length === wanted.length && wanted.every((one, i) => fitsPattern(one, parts[i]!));
}
