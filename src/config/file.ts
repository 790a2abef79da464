import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { IchainError } from "../errors/error.ts";
import { logLevels } from "./choices.ts";
import { type FileConfig, fileSchema, type NetworkConfig, networkSchema } from "./schema.ts";
import { parseYaml } from "./yaml.ts";

const MAX_BYTES = 256 * 1024;

async function readBounded(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new IchainError("CONFIG_INVALID", `${path} cannot be read (${code}).`, {
      hint: "Check that it is a file and that you may read it.",
      cause: error,
    });
  }
  if (text.length <= MAX_BYTES) return text;
  throw new IchainError("CONFIG_INVALID", `${path} is larger than 256 KiB.`, {
    hint: "Check that this is the file you meant.",
  });
}

/** The configuration file with its defaults; the defaults alone when it is absent and not `required`. */
export async function readConfigFile(path: string, options: { required: boolean }): Promise<FileConfig> {
  const text = await readBounded(path);
  if (text === undefined && options.required) {
    throw new IchainError("CONFIG_MISSING", `There is no configuration file ${path}.`);
  }
  return parseYaml({ text: text ?? "", name: path, code: "CONFIG_INVALID" }, fileSchema);
}

/** @throws CONFIG_INVALID for text that names no level */
export function readLogLevel(text: string | undefined): FileConfig["log"]["level"] | undefined {
  const level = logLevels.find((one) => one === text);
  if (text === undefined || level !== undefined) return level;
  throw new IchainError("CONFIG_INVALID", `ICHAIN_LOG_LEVEL is "${text.slice(0, 100)}", which is no level.`, {
    hint: `Set ICHAIN_LOG_LEVEL to ${logLevels.join(", ")}, or unset it.`,
  });
}

/** Resolves a network given inline, as a path, or as the name of a file in the folder `networks`. */
export async function readNetwork(
  network: string | NetworkConfig | undefined,
  options: { networks: string; rpcUrl: string | undefined },
): Promise<NetworkConfig | undefined> {
  if (network === undefined) return undefined;
  const found = typeof network === "string" ? await readNetworkFile(network, options.networks) : network;
  return options.rpcUrl === undefined ? found : withNodes(found, options.rpcUrl);
}

/** The network through other nodes: one address, or several with commas between them. */
function withNodes(network: NetworkConfig, list: string): NetworkConfig {
  const urls = list.split(",").map((text) => text.trim());
  const { rpcUrl, rpcUrls } = networkSchema.shape;
  const parsed = urls.map((text) => rpcUrl.safeParse(text));
  const bad = parsed.findIndex(({ success }) => !success);
  const more = rpcUrls.safeParse(urls.slice(1));
  if (bad < 0 && more.success) {
    return { ...network, rpcUrl: urls[0] as string, rpcUrls: urls.length > 1 ? more.data : undefined };
  }
  const issue = (parsed[bad]?.error ?? more.error)?.issues[0]?.message;
  throw new IchainError(
    "CONFIG_INVALID",
    `The chain's address "${(urls[bad] ?? list).slice(0, 200)}" ${issue}.`,
    {
      hint: "Give its JSON-RPC address, such as http://127.0.0.1:8545, in ICHAIN_RPC_URL or --rpc; several with commas.",
    },
  );
}

async function readNetworkFile(network: string, networks: string): Promise<NetworkConfig> {
  const path = /[/.]/.test(network) ? resolve(network) : join(networks, `${network}.yaml`);
  const text = await readBounded(path);
  if (text === undefined) {
    throw new IchainError("NETWORK_UNKNOWN", `There is no network "${network}": ${path} does not exist.`);
  }
  return parseYaml({ text, name: path, code: "CONFIG_INVALID" }, networkSchema);
}
