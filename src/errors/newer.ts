import { IchainError } from "./error.ts";

/** For a file that this program must not read as far as it understands it, nor take for a damaged one. */
export function tooNew(what: string, path: string): IchainError {
  return new IchainError(
    "STATE_TOO_NEW",
    `The ${what} ${path} was written by a newer ichain than this one.`,
    {
      details: { path },
    },
  );
}

/** True where parsed JSON names a version above `known`. */
export function isNewer(json: unknown, known: number): boolean {
  const { version } = (json ?? {}) as { version?: unknown };
  return typeof version === "number" && version > known;
}
