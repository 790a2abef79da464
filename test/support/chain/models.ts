import { Contract, ContractFactory } from "ethers";
import hre from "hardhat";
import type { ChainModel, Label } from "../../../src/protocol/campaign/models/chain-model.ts";
import type { Actor, Market } from "./escrow.ts";

/** Slots that one `load` sets. */
const CHUNK = 250;

/** Deploys a contract of `contracts/models/` as `actor`. */
export async function deployModel(
  actor: Actor,
  name: string,
  args: readonly unknown[] = [],
): Promise<Contract> {
  const { abi, bytecode } = await hre.artifacts.readArtifact(name);
  const deployed = await new ContractFactory(abi, bytecode, actor.signer).deploy(...args);
  await deployed.waitForDeployment();
  return new Contract(await deployed.getAddress(), abi, actor.signer);
}

/** Loads `model` into its contract, rows first where it counts any, and makes `keeper` its keeper. */
export async function loadModel(
  market: Market,
  actor: Actor,
  contract: Contract,
  model: ChainModel & { readonly rows?: readonly [bigint, bigint] },
  keeper: string,
): Promise<void> {
  if (model.rows !== undefined) await market.send(contract, actor, "loadRows", [model.rows]);
  const slots = model.slots();
  for (let from = 0; from < slots.length; from += CHUNK) {
    await market.send(contract, actor, "load", [from, slots.slice(from, from + CHUNK)]);
  }
  await market.send(contract, actor, "handOver", [keeper]);
}

export async function predictOnChain(contract: Contract, words: readonly number[]): Promise<Label> {
  return Number(await contract.getFunction("predict")(words)) as Label;
}
