import { fromHex } from "../../protocol/bytes.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "../../protocol/ids.ts";
import { type Offer, offerDetailsSchema, type Rating } from "../../protocol/offer.ts";
import type { Values } from "../abi/values.ts";

/** An offer with the signature that binds its keys to its account. */
export interface SignedOffer {
  readonly offer: Offer;
  readonly signature: Hex;
}

/** Twice the registry's own bound: only a faulty node answers with more. */
const MAX_BYTES = 4096;
const MAX_SIGNATURE_BYTES = 8192;

/** An offer as `IProviderRegistry.Offer` has it; undefined when the account has none or its details are malformed. */
export function toOffer(fields: Values): SignedOffer | undefined {
  const account = fields.account as Address;
  const { openpgpKey, details, signature } = fields as Record<string, Hex>;
  if (
    account === ZERO_ADDRESS ||
    openpgpKey === undefined ||
    details === undefined ||
    signature === undefined
  ) {
    return undefined;
  }
  if (
    tooLong(openpgpKey, MAX_BYTES) ||
    tooLong(details, MAX_BYTES) ||
    tooLong(signature, MAX_SIGNATURE_BYTES)
  ) {
    return undefined;
  }
  const parsed = offerDetailsSchema.safeParse(json(details));
  if (!parsed.success) return undefined;
  const offer: Offer = {
    account,
    provider: fields.provider,
    validator: fields.validator,
    priceFloor: fields.priceFloor,
    feeFloor: fields.feeFloor,
    stake: fields.stake,
    lockedStake: fields.lockedStake,
    pooled: fields.pooled,
    banned: fields.banned,
    keys: { openpgpKey, fingerprint: fields.fingerprint, onionKey: fields.onionKey },
    details: parsed.data,
    ratingAsProvider: toRating(fields.asProvider),
    ratingAsValidator: toRating(fields.asValidator),
  };
  return { offer, signature };
}

/** The row's text; amounts are decimal strings: JSON has no large integers. */
export function encodeOffer({ offer, signature }: SignedOffer): string {
  const { priceFloor, feeFloor, stake, lockedStake } = offer;
  const amounts = [priceFloor, feeFloor, stake, lockedStake].map(String);
  return JSON.stringify({
    offer: { ...offer, ...Object.fromEntries(amountNames.map((name, i) => [name, amounts[i]])) },
    signature,
  });
}

/** The inverse of `encodeOffer`; only for what this module wrote. */
export function decodeOffer(text: string): SignedOffer {
  const { offer, signature } = JSON.parse(text);
  for (const name of amountNames) offer[name] = BigInt(offer[name]);
  return { offer, signature };
}

const amountNames = ["priceFloor", "feeFloor", "stake", "lockedStake"] as const;

function toRating(raw: Values): Rating {
  const { count, sum, ...outcomes } = Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [name, Number(value)]),
  );
  return { count, sum, outcomes } as unknown as Rating;
}

function json(details: Hex): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromHex(details)));
  } catch {
    return undefined;
  }
}

function tooLong(hex: Hex, bytes: number): boolean {
  return hex.length > 2 + 2 * bytes;
}
