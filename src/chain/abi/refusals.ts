import type { Interface, Result } from "ethers";
import { isErrorCode } from "../../errors/catalogue.ts";
import { IchainError } from "../../errors/error.ts";
import { RpcRefusal, revertData } from "../rpc/rpc.ts";

/** `JobEscrow_InvalidStatus(jobId, status)` → `ESCROW_INVALID_STATUS`: the contract's name in our spelling. */
export function errorCode(name: string): string {
  return name
    .replace(/^(Job|Provider|Federated|Data)(?=[A-Z][a-z]+_)/, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase();
}

/** A node's refusal as an error with the contract's reason; any other error unchanged. */
export function explainRefusal(error: unknown, abi: Interface, what: string): unknown {
  if (!(error instanceof RpcRefusal)) return error;
  const data = revertData(error.data);
  if (data !== undefined) return explainRevert(data, abi, what, error);
  if (/insufficient funds|doesn't have enough funds|lack of funds/i.test(error.message)) {
    return fundsTooLow(error.details);
  }
  return error;
}

/** `details.needed`: wei that the call and its gas can take at most. */
export function fundsTooLow(details: Readonly<Record<string, unknown>>): IchainError {
  return new IchainError("FUNDS_TOO_LOW", "The account has not enough coin for this and its gas.", {
    details,
  });
}

/** The error that revert `data` encodes. */
function explainRevert(data: string, abi: Interface, what: string, cause?: unknown): IchainError {
  const parsed = parse(data, abi);
  if (parsed === undefined) {
    return new IchainError(
      "CONTRACT_REFUSED",
      `The contract refused to ${spaced(what)} with an error that ichain does not know.`,
      { cause, details: { data: data.slice(0, 138) } },
    );
  }
  const facts = parsed.args;
  const listed = Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  const code = errorCode(parsed.name);
  const message = `The contract refused to ${spaced(what)}: ${words(parsed.name)}${listed && ` (${listed})`}.`;
  return new IchainError(isErrorCode(code) ? code : "CONTRACT_REFUSED", message, { cause, details: facts });
}

function parse(data: string, abi: Interface): { name: string; args: Record<string, string> } | undefined {
  try {
    const error = abi.parseError(data);
    return error === null ? undefined : { name: error.name, args: plain(error.args) };
  } catch {
    return undefined;
  }
}

function plain(args: Result): Record<string, string> {
  return Object.fromEntries(Object.entries(args.toObject()).map(([name, value]) => [name, String(value)]));
}

/** `JobEscrow_InvalidStatus` → `invalid status`. */
function words(name: string): string {
  return spaced(name.slice(name.indexOf("_") + 1));
}

/** `closeRound` → `close round`. */
function spaced(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}
