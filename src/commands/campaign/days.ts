import { coinText } from "../../protocol/amounts.ts";
import type { AgentKind } from "../../protocol/campaign/scenario.ts";
import type { Ui } from "../../ui/ui.ts";

interface DayLine {
  readonly day: number;
  readonly rows: number;
  readonly wrong: number;
  readonly fixes: { readonly right: number; readonly false: number };
  readonly accuracy: number;
  readonly deposit: bigint;
  readonly agents: readonly { readonly name: string; readonly balance: bigint }[];
}

interface CampaignEndLine {
  readonly days: number;
  readonly rows: number;
  readonly wrong: number;
  readonly fixes: { readonly right: number; readonly false: number };
  readonly accuracy: { readonly before: number; readonly after: number };
  readonly spent: bigint;
  readonly panel: bigint;
  readonly agents: readonly {
    readonly name: string;
    readonly kind: AgentKind;
    readonly begin: bigint;
    readonly balance: bigint;
    readonly percent: number;
  }[];
}

export function describeCampaignDay({ day, rows, wrong, fixes, accuracy, deposit, agents }: DayLine): string {
  const balances = agents.map(({ name, balance }) => `${name} ${shortCoin(balance)}`).join(", ");
  const fixed = `${fixes.right} fixed, ${fixes.false} false fixes`;
  return `Day ${day}: ${rows} rows (${wrong} wrong), ${fixed}, accuracy ${accuracy.toFixed(4)}, deposit ${shortCoin(deposit)}; ${balances}`;
}

export function describeCampaignEnd(ui: Ui, end: CampaignEndLine): string {
  const { days, rows, wrong, accuracy, spent, panel, agents } = end;
  const table = ui.table(
    ["agent", "plays", "began with", "has", "of that"],
    agents.map(({ name, kind, begin, balance, percent }) => [
      name,
      kind,
      shortCoin(begin),
      shortCoin(balance),
      `${percent.toFixed(2)} %`,
    ]),
  );
  return [
    `After ${days} days: ${rows} rows, ${wrong} of them wrong; accuracy ${accuracy.before.toFixed(4)} before, ${accuracy.after.toFixed(4)} after.`,
    table,
    `The owner spent ${shortCoin(spent)}, panels earned ${shortCoin(panel)}; gas is not counted.`,
  ].join("\n");
}

/** With four decimals at most, cut. */
function shortCoin(amount: bigint): string {
  return coinText(amount - (amount % 10n ** 14n));
}
