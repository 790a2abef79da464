import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { IchainError } from "../errors/error.ts";
import type { FileConfig, NetworkConfig } from "./schema.ts";

/** Top-level fields to set; what is undefined stays as it is. */
export type ConfigChange = Partial<Pick<FileConfig, "role" | "transport">> & { readonly network?: string };

/**
 * Sets fields of config.yaml; everything else in it, comments included, stays.
 * @throws CONFIG_UNWRITABLE
 */
export async function changeConfigFile(path: string, change: ConfigChange): Promise<void> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const document = parseDocument(text);
  for (const [name, value] of Object.entries(change)) if (value !== undefined) document.set(name, value);
  const changed = document.toString();
  if (changed !== text) await replace(path, changed);
}

/**
 * Writes a network's file into the folder `networks`; returns its name.
 * @throws CONFIG_UNWRITABLE
 */
export async function saveNetwork(networks: string, network: NetworkConfig): Promise<string> {
  await replace(join(networks, `${network.name}.yaml`), stringify(network));
  return network.name;
}

/** Atomic: a crash leaves the old file or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, path);
  } catch (cause) {
    throw new IchainError("CONFIG_UNWRITABLE", `${path} cannot be written.`, { cause });
  }
}
