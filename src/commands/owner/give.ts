import { getAddress } from "ethers";
import { IchainError } from "../../errors/error.ts";
import type { AccountCall } from "../../ports/market/ownership.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { RoleContext } from "../../roles/context.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { withRole } from "../steps/role.ts";

/** Options of commands that an account's owner gives, with a wallet that lies here or elsewhere. */
export interface OwnerOptions {
  readonly account?: string;
  readonly calldata?: true;
}

/** A call about the account that it names. */
export type NamedCall = AccountCall & { readonly of: Address };

/** Makes a call with the wallet that lies here, or prints it for another. */
export async function giveCall<C extends NamedCall>(
  context: CommandContext,
  options: OwnerOptions,
  callOf: (of: Address) => C,
  give: (role: RoleContext, call: C) => Promise<void>,
): Promise<void> {
  if (options.calldata) return await showCalls(context, options, async (of) => [callOf(of)]);
  const named = namedAccount(options);
  await withRole(context, (role) => give(role, callOf(named ?? role.account)));
}

/** Prints calls as a wallet elsewhere takes them; nothing is signed or sent. */
export async function showCalls(
  context: CommandContext,
  options: OwnerOptions,
  callsOf: (of: Address, market: MarketReader) => Promise<readonly NamedCall[]>,
): Promise<void> {
  await withReader(context, async ({ market, account }) => {
    const of = namedAccount(options) ?? account;
    if (of === undefined) {
      throw new IchainError("USAGE", "No account is named, and no wallet lies here.", {
        hint: "Name the account with --account.",
      });
    }
    const calls = (await callsOf(of, market)).map((call) => ({ call: call.kind, ...market.unsigned(call) }));
    context.ui.print({ account: of, calls }, () =>
      calls.map(({ to, value, data }) => `to     ${to}\nvalue  ${coin(value)}\ndata   ${data}`).join("\n\n"),
    );
  });
}

export const namedAccount = ({ account }: OwnerOptions): Address | undefined =>
  account === undefined ? undefined : checkedAddress(account);

/** An address, with its checksum (ERC-55) looked at where it is written with capitals. */
export function checkedAddress(text: string): Address {
  try {
    return getAddress(text) as Address;
  } catch {
    throw new IchainError("USAGE", `The capitals of ${text} do not fit its digits: one of them is wrong.`, {
      hint: "Copy the address again.",
    });
  }
}
