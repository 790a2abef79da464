import type { Interface, Result } from "ethers";
import { IchainError } from "../../errors/error.ts";
import { RpcRefusal } from "../rpc/rpc.ts";
import { fundsCodes, hints } from "./hints.ts";

/** Turns what a contract or node says no with into an error that people understand and scripts can match. */

/** `JobEscrow_InvalidStatus(jobId, status)` → `ESCROW_INVALID_STATUS`: the contracts' names, our spelling. */
export function errorCode(name: string): string {
  return name
    .replace(/^(Job|Provider)(?=[A-Z][a-z]+_)/, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase();
}

/** `error` made readable when a node refused; any other error as it is. */
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
  return new IchainError("The account has not enough coin for this and its gas.", {
    code: "FUNDS_TOO_LOW",
    class: "funds",
    hint: "Send coin to it: `ichain wallet balance` shows the account and what it has.",
    details,
  });
}

/** What revert `data` means. */
export function explainRevert(data: string, abi: Interface, what: string, cause?: unknown): IchainError {
  const parsed = parse(data, abi);
  if (parsed === undefined) {
    return new IchainError(`The contract refused to ${what}, for no reason that ichain knows.`, {
      code: "CONTRACT_REFUSED",
      class: "refused",
      hint: "Check with `ichain doctor` that the configured contracts are those of this version of ichain.",
      cause,
      details: { data: data.slice(0, 138) },
    });
  }
  const code = errorCode(parsed.name);
  const facts = parsed.args;
  const told = Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return new IchainError(`The contract refused to ${what}: ${words(parsed.name)}${told && ` (${told})`}.`, {
    code,
    class: fundsCodes.has(code) ? "funds" : "refused",
    hint:
      hints[code] ??
      "Look at the job as it stands now (`ichain job ID`): the state decides what can be done.",
    cause,
    details: facts,
  });
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
  return name
    .slice(name.indexOf("_") + 1)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase();
}

/** Nodes attach revert data plainly, or in an object of their own. */
function revertData(data: unknown): string | undefined {
  if (typeof data === "string") return /^0x[0-9a-f]*$/i.test(data) ? data : undefined;
  if (typeof data === "object" && data !== null && "data" in data) return revertData(data.data);
  return undefined;
}
