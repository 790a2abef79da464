import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseYaml } from "../../../config/yaml.ts";
import { IchainError } from "../../../errors/error.ts";
import { type Model, readModel } from "../../../protocol/federated/model-file.ts";
import { type GossipPeerFile, gossipPeerSchema } from "../../../protocol/gossip/peer-file.ts";

const MAX_BYTES = 1 << 20;
const MAX_MODEL_BYTES = 2 ** 32;

/** A gossip.yaml, where it lies, and the model that it names. */
export interface LoadedPeerFile {
  readonly file: GossipPeerFile;
  readonly folder: string;
  readonly start: Model;
}

/** @throws GOSSIP_PEER_INVALID, DATA_UNREADABLE, MODEL_INVALID and the codes of reading safetensors */
export async function loadPeerFile(path: string): Promise<LoadedPeerFile> {
  const text = new TextDecoder().decode(await readWhole(path, MAX_BYTES));
  const file = parseYaml({ text, name: path, code: "GOSSIP_PEER_INVALID" }, gossipPeerSchema);
  const folder = dirname(resolve(path));
  return { file, folder, start: readModel(await readWhole(resolve(folder, file.model), MAX_MODEL_BYTES)) };
}

async function readWhole(path: string, most: number): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size <= most) return await readFile(path);
  } catch (cause) {
    throw new IchainError("DATA_UNREADABLE", `The file ${path} cannot be read.`, { cause });
  }
  throw new IchainError("GOSSIP_PEER_INVALID", `The file ${path} is larger than ${most} bytes.`);
}
