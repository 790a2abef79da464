import { readFile } from "node:fs/promises";
import { IchainError } from "../errors/error.ts";
import type { PoolEntry } from "./schema.ts";

/**
 * How the engines of a pool are reached, with the certificates' text.
 * @throws CONFIG_INVALID
 */
export async function readPool(pool: readonly PoolEntry[]) {
  if (pool.length === 0) throw invalid("The engine is `pool`, and no engine is listed under `pool`.");
  return Promise.all(
    pool.map(async (entry) => {
      const { name, url } = entry;
      if (url.startsWith("unix://")) return { name, target: { socketPath: url.slice("unix://".length) } };
      if (!("ca" in entry)) return { name, target: { url } };
      const [ca, cert, key] = await Promise.all([entry.ca, entry.cert, entry.key].map(text));
      return { name, target: { url, ca: ca ?? "", cert: cert ?? "", key: key ?? "" } };
    }),
  );
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw invalid(`${path} cannot be read.`, cause);
  }
}

function invalid(message: string, cause?: unknown): IchainError {
  return new IchainError("CONFIG_INVALID", message, {
    hint: "docs/engines.md shows how to configure a pool.",
    cause,
  });
}
