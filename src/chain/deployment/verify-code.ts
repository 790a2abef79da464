import { readFile } from "node:fs/promises";
import type { Artifact, ArtifactResolver } from "@nomicfoundation/ignition-core";
import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { type Address, ZERO_ADDRESS } from "../../protocol/ids.ts";
import { artifactOf, artifactUrl } from "../abi/artifacts.ts";
import type { Addresses } from "../addresses.ts";
import { bindContract } from "../rpc/contract.ts";
import { answered, parseQuantity } from "../rpc/quantities.ts";
import type { Rpc } from "../rpc/rpc.ts";

/** The EVM's limit of a contract's code is 24 KiB (EIP-170). */
const code = z
  .string()
  .max(2 + 2 * 65_536)
  .regex(/^0x(?:[0-9a-f]{2})*$/i);

/** Of a pool's stake, wei: a million coin. */
const MAX_AMOUNT = 2n ** 80n;

async function loadArtifact(name: string): Promise<Artifact> {
  try {
    return JSON.parse(await readFile(artifactUrl(name), "utf8"));
  } catch (cause) {
    throw new IchainError("ARTIFACTS_MISSING", `The compiled contract ${name} is missing.`, { cause });
  }
}

export const artifactResolver: ArtifactResolver = { loadArtifact, getBuildInfo: async () => undefined };

/**
 * Compares the code at `address` with what this release was built with, immutable values left out; returns those, each
 * once, as 64 hexadecimal digits.
 * @throws DEPLOY_UNVERIFIED
 */
export async function verifyCode(
  rpc: Rpc,
  address: Address,
  name: string,
  options: AbortOptions = {},
): Promise<readonly string[]> {
  const { deployedBytecode, immutableReferences } = await loadArtifact(name);
  const there = answered(code, await rpc.send("eth_getCode", [address, "latest"], options), "code");
  const places = Object.values(immutableReferences ?? {}).flat();
  const mask = (text: string): string => {
    const bytes = Buffer.from(text.slice(2), "hex");
    for (const { start, length } of places) bytes.fill(0, start, start + length);
    return bytes.toString("hex");
  };
  if (there.length !== deployedBytecode.length || mask(there) !== mask(deployedBytecode)) {
    throw unverified(`The code at ${address} is not that of ${name} in this release.`, { address, name });
  }
  const word = ({ start, length }: { start: number; length: number }) =>
    there.slice(2 + 2 * start, 2 + 2 * (start + length)).toLowerCase();
  return [...new Set(places.map(word))];
}

/**
 * Makes sure that the contracts of a market are those of this release and name one another, and no others.
 * @throws DEPLOY_UNVERIFIED
 */
export async function verifyMarket(
  rpc: Rpc,
  addresses: Addresses,
  options: AbortOptions = {},
): Promise<void> {
  const { escrow, registry, rating, federated, campaigns, improvements } = addresses;
  const escrows = federated === undefined ? [escrow] : [escrow, federated];
  const namesOf = async (at: Address, name: string) =>
    (await verifyCode(rpc, at, name, options)).filter(
      (word) => /^0{24}/.test(word) && word !== addressWord(at) && word !== addressWord(ZERO_ADDRESS),
    );
  const ofRating = await namesOf(rating, "ProviderRating");
  const ofRegistry = await namesOf(registry, "ProviderRegistry");
  const { read } = bindContract(rpc, registry, artifactOf("ProviderRegistry").abi);
  const [chainId, ...numbers] = await Promise.all([
    rpc.send("eth_chainId", [], options).then((answer) => answered(parseQuantity, answer, "its chain id")),
    ...["POOL_STAKE", "COOLDOWN"].map(async (name) => (await read(name, [], options))[0] as bigint),
  ]);
  const amounts = [chainId, ...numbers].map((value) => value.toString(16).padStart(64, "0"));
  // No account can be found whose address is as small as that.
  if (numbers.some((value) => value >= MAX_AMOUNT)) throw misnamed("ProviderRegistry");
  const requireNames = (name: string, found: readonly string[], parts: readonly Address[]): void => {
    const wanted = parts.map(addressWord);
    const strange = found.filter((word) => !wanted.includes(word) && !amounts.includes(word));
    if (strange.length > 0 || !wanted.every((word) => found.includes(word))) throw misnamed(name);
  };
  requireNames("ProviderRating", ofRating, escrows);
  requireNames("ProviderRegistry", ofRegistry, [rating, ...escrows]);
  const halves = [
    [escrow, "JobEscrow", "JobExceptions"],
    [federated, "FederatedEscrow", "FederatedExceptions"],
  ] as const;
  for (const [at, name, half] of halves) {
    if (at === undefined) continue;
    const found = await namesOf(at, name);
    const shared = [...amounts, addressWord(registry), addressWord(rating)];
    const other = found.find((word) => !shared.includes(word));
    if (other === undefined) throw misnamed(name);
    const exceptions = `0x${other.slice(24)}` as Address;
    requireNames(name, found, [registry, rating, exceptions]);
    requireNames(half, await namesOf(exceptions, half), [registry, rating]);
  }
  if (campaigns !== undefined) {
    requireNames("DataCampaign", await namesOf(campaigns, "DataCampaign"), [registry]);
  }
  if (improvements !== undefined) {
    const found = await namesOf(improvements, "ImprovementMarket");
    requireNames("ImprovementMarket", found, campaigns === undefined ? [registry] : [registry, campaigns]);
  }
}

const addressWord = (address: Address): string => address.slice(2).toLowerCase().padStart(64, "0");

const misnamed = (name: string): IchainError =>
  unverified(`${name} does not name the other contracts of this network, or names more.`, { name });

function unverified(message: string, details: Record<string, unknown>): IchainError {
  return new IchainError("DEPLOY_UNVERIFIED", message, { details });
}
