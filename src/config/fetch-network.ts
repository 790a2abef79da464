import { IchainError } from "../errors/error.ts";
import { readNetwork } from "./file.ts";
import { type NetworkConfig, networkSchema } from "./network-schema.ts";
import { parseYaml } from "./yaml.ts";

const MAX_BYTES = 256 * 1024;
const TIMEOUT_MS = 30_000;

/**
 * A network that others publish, from a file or an https:// address. What is fetched may not bring lines for tor.
 * @throws CONFIG_INVALID, NETWORK_UNKNOWN, NETWORK_UNREACHABLE
 */
export async function fetchNetwork(source: string, signal: AbortSignal): Promise<NetworkConfig> {
  if (!/^[a-z]+:\/\//i.test(source)) {
    // A name alone would be one that is known already.
    const path = /[/.]/.test(source) ? source : `./${source}`;
    return (await readNetwork(path, { networks: "", rpcUrl: undefined })) as NetworkConfig;
  }
  if (!/^https:\/\//i.test(source) || !URL.canParse(source)) {
    throw new IchainError("NETWORK_UNKNOWN", "A network is fetched from an https:// address only.", {
      hint: "Give an https:// address, or save the file and name it.",
    });
  }
  const text = await download(source, signal);
  const network = parseYaml({ text, name: "the fetched network", code: "CONFIG_INVALID" }, networkSchema);
  if (network.torrc === undefined) return network;
  throw new IchainError("CONFIG_INVALID", "The fetched network has torrc lines, which command your tor.", {
    hint: "Read it, save it as a file, and add the file if you trust it.",
  });
}

async function download(source: string, signal: AbortSignal): Promise<string> {
  const { host } = new URL(source);
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(source, { redirect: "error", signal: bounded });
    if (!response.ok) throw new RangeError(`HTTP status ${response.status}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new RangeError(`more than ${MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (cause) {
    signal.throwIfAborted();
    throw new IchainError("NETWORK_UNREACHABLE", `No network file of at most 256 KiB came from ${host}.`, {
      cause,
    });
  }
}
