import { isIchainError } from "../../../errors/error.ts";

/** Makes a call that another account, or an earlier try, may have made: a refusal by the contract is no failure. */
export async function unlessRefused(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isIchainError(error) || error.class !== "refused") throw error;
  }
}
