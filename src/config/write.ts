import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { IchainError } from "../errors/error.ts";
import type { FileConfig, NetworkConfig } from "./schema.ts";

/** Top-level fields to set; what is undefined stays as it is. */
export type ConfigChange = Partial<Pick<FileConfig, "role" | "transport">> & { readonly network?: string };

/** Sets fields of config.yaml and leaves the rest of it, comments too, as the person wrote it. */
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

/** Keeps a network's file in the folder `networks`, under its name; returns the name. */
export async function saveNetwork(networks: string, network: NetworkConfig): Promise<string> {
  await replace(join(networks, `${network.name}.yaml`), stringify(network));
  return network.name;
}

/** All or nothing: a crash leaves the old file or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, path);
  } catch (cause) {
    throw new IchainError(`${path} cannot be written.`, {
      code: "CONFIG_UNWRITABLE",
      class: "config",
      hint: "Check that you may write to the folder and that the disk is not full.",
      cause,
    });
  }
}
