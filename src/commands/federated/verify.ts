import { resolve } from "node:path";
import { IchainError } from "../../errors/error.ts";
import type { Hex } from "../../protocol/ids.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { openLedger } from "./open-ledger.ts";

/** Checks a ledger offline: signatures, order, roots, and on request that it ends as the chain says. */
export async function run(
  { ui }: CommandContext,
  args: { ledger: string },
  options: { tip?: Hex },
): Promise<void> {
  const { header, rounds, open, tip } = await openLedger(args.ledger);
  if (options.tip !== undefined && options.tip !== tip) {
    throw new IchainError("LEDGER_OTHER_TIP", `The ledger ends with ${tip}, not with ${options.tip}.`, {
      details: { tip },
    });
  }
  const uploads = rounds.reduce((sum, round) => sum + round.uploads.length, open.length);
  const authors = new Set(
    rounds.flatMap((round) => [round.aggregation.lead, ...round.uploads.map(({ provider }) => provider)]),
  );
  const found = {
    ledger: resolve(args.ledger),
    name: header.name,
    job: header.job,
    rounds: rounds.length,
    uploads,
    authors: authors.size,
    model: rounds.at(-1)?.aggregation.model ?? header.start,
    tip,
  };
  ui.print(
    found,
    () =>
      `${neutraliseLine(found.name)}: ${found.rounds} rounds and ${uploads} uploads, signed by ${authors.size} accounts; all of it holds.\n` +
      `Model  ${found.model}\nTip    ${tip}`,
  );
}
