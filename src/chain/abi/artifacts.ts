import { readFileSync } from "node:fs";
import { Interface } from "ethers";
import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import type { Hex } from "../../protocol/ids.ts";

export type ContractName =
  | "JobEscrow"
  | "JobExceptions"
  | "FederatedEscrow"
  | "FederatedExceptions"
  | "DataCampaign"
  | "ImprovementMarket"
  | "ProviderRegistry"
  | "ProviderRating"
  | "TestToken";

/** The compiler's output for one contract. */
export interface Artifact {
  readonly abi: Interface;
  /** Creation code. */
  readonly bytecode: Hex;
}

/** Three levels up from `src/chain/abi/` and from `dist/chain/abi/` alike. */
const FOLDER = new URL("../../../artifacts/contracts/", import.meta.url);

const artifactSchema = z.object({
  abi: z.array(z.looseObject({ type: z.string() })),
  bytecode: z.string().regex(/^0x[0-9a-f]*$/i),
});

/** Folders of contracts that are not at the top. */
const folders: Readonly<Record<string, string>> = { TestToken: "devnet/", ImprovementMarket: "campaign/" };

/** Where the compiler's output for a contract is. */
export function artifactUrl(name: string): URL {
  return new URL(`${folders[name] ?? ""}${name}.sol/${name}.json`, FOLDER);
}

const loaded = new Map<ContractName, Artifact>();

/** The other half of an escrow. */
const halves: Partial<Record<ContractName, ContractName>> = {
  JobEscrow: "JobExceptions",
  FederatedEscrow: "FederatedExceptions",
};

/**
 * An escrow's interface has the calls of both its halves: all of them are called at its address.
 * @throws ARTIFACTS_MISSING when the contracts have not been built
 */
export function artifactOf(name: ContractName): Artifact {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const { abi, bytecode } = load(name);
  const half = halves[name];
  const other = half === undefined ? [] : load(half).abi;
  const rest = other.filter(({ type }) => type !== "constructor");
  const artifact = { abi: new Interface([...abi, ...rest]), bytecode: bytecode as Hex };
  loaded.set(name, artifact);
  return artifact;
}

function load(name: ContractName): z.output<typeof artifactSchema> {
  try {
    const text = readFileSync(artifactUrl(name), "utf8");
    return artifactSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new IchainError("ARTIFACTS_MISSING", `The compiled contract ${name} is missing or unreadable.`, {
      cause,
    });
  }
}
