import { readFile } from "node:fs/promises";
import type { Artifact, ArtifactResolver } from "@nomicfoundation/ignition-core";
import type { Rpc } from "../../src/chain/rpc/rpc.ts";
import { IchainError } from "../../src/errors/error.ts";
import type { Address } from "../../src/protocol/ids.ts";

const FOLDER = new URL("../../artifacts/contracts/", import.meta.url);

async function loadArtifact(name: string): Promise<Artifact> {
  return JSON.parse(await readFile(new URL(`${name}.sol/${name}.json`, FOLDER), "utf8"));
}

export const artifactResolver: ArtifactResolver = { loadArtifact, getBuildInfo: async () => undefined };

/** Makes sure that the code at `address` is what this checkout compiles to. Throws `DEPLOY_UNVERIFIED`. */
export async function verifyCode(rpc: Rpc, address: Address, name: string): Promise<void> {
  const { deployedBytecode, immutableReferences } = await loadArtifact(name);
  const there = (await rpc.send("eth_getCode", [address, "latest"])) as string;
  const mask = (code: string): string => {
    const bytes = Buffer.from(code.slice(2), "hex");
    for (const { start, length } of Object.values(immutableReferences ?? {}).flat())
      bytes.fill(0, start, start + length);
    return bytes.toString("hex");
  };
  if (there.length === deployedBytecode.length && mask(there) === mask(deployedBytecode)) return;
  throw new IchainError(
    "DEPLOY_UNVERIFIED",
    `The code at ${address} is not that of ${name} as compiled here.`,
    {
      class: "untrusted",
      hint: "Deploy anew with another deployment folder, or check out the version that was deployed.",
      details: { address, name },
    },
  );
}
