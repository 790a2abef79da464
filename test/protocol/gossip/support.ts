import { id, SigningKey } from "ethers";
import { type Genesis, genesisDigest } from "../../../src/protocol/gossip/genesis.ts";
import {
  blockDigest,
  confirmationDigest,
  type FinalBlock,
  finalDigest,
  type GossipBlock,
  type GossipConfirmation,
} from "../../../src/protocol/gossip/records/block.ts";
import { type RecordSigner, recordSigner } from "../../../src/protocol/gossip/records/signatures.ts";
import {
  type GossipReceipt,
  type GossipTransaction,
  receiptDigest,
  transactionDigest,
  type WitnessedTransaction,
} from "../../../src/protocol/gossip/records/transaction.ts";
import type { Hex } from "../../../src/protocol/ids.ts";

export const genesis: Genesis = { name: "digits", layout: [{ name: "weight", shape: [4, 2] }] };
export const network = genesisDigest(genesis);

export const signerOf = (name: string): RecordSigner => recordSigner(network, new SigningKey(id(name)));

export function transactionBy(
  signer: RecordSigner,
  fields: Partial<GossipTransaction> = {},
): GossipTransaction {
  const { signature, ...rest } = fields;
  const unsigned = {
    generator: signer.identity,
    ...{ create: 1000, expire: 1060, model: id("model") as Hex, bytes: 64, ttl: 1 },
    ...rest,
  };
  return { ...unsigned, signature: signature ?? signer.sign("transaction", transactionDigest(unsigned)) };
}

export function receiptBy(
  signer: RecordSigner,
  transaction: GossipTransaction,
  fields: Partial<GossipReceipt> = {},
): GossipReceipt {
  const unsigned = {
    creator: signer.identity,
    ...{ create: transaction.create + 1, receivedAtTtl: transaction.ttl - 1, accuracy: 900_000 },
    transaction: transactionDigest(transaction),
    ...fields,
  };
  return { ...unsigned, signature: signer.sign("receipt", receiptDigest(unsigned)) };
}

export function blockBy(
  signer: RecordSigner,
  transactions: readonly WitnessedTransaction[],
  fields: Partial<GossipBlock> = {},
): GossipBlock {
  const unsigned = {
    ...{ height: 1, previous: network, creator: signer.identity, time: 1100, genesis: network },
    transactions: [...transactions],
    ...fields,
  };
  return { ...unsigned, signature: signer.sign("block", blockDigest(unsigned)) };
}

/** Confirmations of all of a block's receipts whose creators are among `signers`. */
export function confirmationsOf(block: GossipBlock, signers: readonly RecordSigner[]): GossipConfirmation[] {
  return block.transactions.flatMap(({ receipts }) =>
    receipts.flatMap((receipt) => {
      const signer = signers.find(({ identity }) => identity.account === receipt.creator.account);
      if (signer === undefined) return [];
      const unsigned = {
        creator: signer.identity,
        transaction: receipt.transaction,
        receipt: receiptDigest(receipt),
        block: blockDigest(block),
      };
      return [{ ...unsigned, signature: signer.sign("confirmation", confirmationDigest(unsigned)) }];
    }),
  );
}

export function finalBy(
  signer: RecordSigner,
  block: GossipBlock,
  confirmations: readonly GossipConfirmation[],
  finalizedAt = block.time + 5,
): FinalBlock {
  const unsigned = { block, confirmations: [...confirmations], finalizedAt };
  return { ...unsigned, signature: signer.sign("final", finalDigest(unsigned)) };
}
