import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
import { type BaseWallet, Transaction } from "ethers";
import type { Rpc } from "../rpc/rpc.ts";

type Optional = "to" | "gasPrice" | "maxFeePerGas" | "maxPriorityFeePerGas";
/** What Ignition fills in before it asks for a signature, 0x-hex. */
type Fields = Record<"nonce" | "gas" | "data" | "value", string> & Partial<Record<Optional, string>>;

/** A node that signs for `wallet`: what Ignition takes for a node with unlocked accounts. */
export function signingProvider(rpc: Rpc, wallet: BaseWallet, chainId: bigint): EIP1193Provider {
  return {
    async request({ method, params = [] }) {
      const list = params as readonly unknown[];
      if (method === "eth_accounts") return [wallet.address];
      if (method !== "eth_sendTransaction") return rpc.send(method, list);
      const tx = toTransaction(list[0] as Fields, chainId);
      tx.signature = wallet.signingKey.sign(tx.unsignedHash);
      return rpc.send("eth_sendRawTransaction", [tx.serialized]);
    },
  };
}

function toTransaction(fields: Fields, chainId: bigint): Transaction {
  const { nonce, gas, data, value, to = null } = fields;
  const tx = Transaction.from({ chainId, nonce: Number(nonce), gasLimit: gas, data, value, to });
  tx.type = fields.gasPrice === undefined ? 2 : 0;
  if (fields.gasPrice !== undefined) tx.gasPrice = fields.gasPrice;
  if (fields.maxFeePerGas !== undefined) tx.maxFeePerGas = fields.maxFeePerGas;
  if (fields.maxPriorityFeePerGas !== undefined) tx.maxPriorityFeePerGas = fields.maxPriorityFeePerGas;
  return tx;
}
