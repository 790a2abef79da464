import { readdir } from "node:fs/promises";
import { IchainError } from "../../errors/error.ts";

/** Names of the networks in the home folder, sorted. */
export async function knownNetworks(networks: string): Promise<string[]> {
  const files = await readdir(networks).catch(() => []);
  return files
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .toSorted();
}

/** @throws NETWORK_EXISTS */
export async function refuseKnownName(networks: string, name: string): Promise<void> {
  if (!(await knownNetworks(networks)).includes(name)) return;
  throw new IchainError("NETWORK_EXISTS", `There is a network ${name} already.`);
}
