import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Call } from "../../ports/market.ts";

/** What tokens answer when the escrow may not take the sum; most older ones say so in a sentence. */
const lacksAllowance = (error: IchainError) =>
  error.code === "ERC20_INSUFFICIENT_ALLOWANCE" || /allowance/i.test(error.message);

const texts = {
  PERMIT_EXPIRED: "The permit to take the price from the account has expired; nothing was posted.",
  PERMIT_REFUSED: "The token does not take the permit for the price; nothing was posted.",
  TOKEN_REFUSED: "The token refuses to be paid from this account; nothing was moved.",
  TOKEN_WITHHELD: "The token does not pay this account: the escrow goes on owing it the money.",
} as const;

/** Calls that take money from the caller. */
const paying = new Set<Call["kind"]>([
  ...(["post", "challenge", "appeal", "approve", "postFederated", "challengeRound", "appealStrike"] as const),
]);

/**
 * What a token's refusal means for the call that it stopped; any other error unchanged. Tokens say why in words of
 * their own, or not at all.
 */
export async function explainTokenRefusal(
  error: unknown,
  call: Pick<Call, "kind"> | Call,
  now: () => Promise<number>,
): Promise<unknown> {
  if (!isIchainError(error)) return error;
  const told = (code: keyof typeof texts) =>
    new IchainError(code, texts[code], { cause: error, details: error.details });
  const permit = "permit" in call ? call.permit : undefined;
  if (permit !== undefined) {
    // A permit ends when its job can no longer be posted: the escrow notices that first.
    if (error.code === "ESCROW_TOO_LATE") return told("PERMIT_EXPIRED");
    if (lacksAllowance(error))
      return told(permit.deadline < (await now()) ? "PERMIT_EXPIRED" : "PERMIT_REFUSED");
  }
  if (error.code !== "CONTRACT_REFUSED") return error;
  const { kind } = call;
  if (kind === "withdraw" || kind === "withdrawFederated") return told("TOKEN_WITHHELD");
  return paying.has(kind) ? told("TOKEN_REFUSED") : error;
}
