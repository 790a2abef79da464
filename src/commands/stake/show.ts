import type { Stake } from "../../roles/daemon/stake.ts";
import { coin, instant } from "../../ui/format.ts";
import type { Ui } from "../../ui/ui.ts";

/** What every stake command ends with. */
export function showStake(ui: Ui, { account, total, locked, leaving, banned }: Stake): void {
  const gone = leaving.amount > 0n ? leaving : undefined;
  ui.print({ address: account, stake: total, locked, free: total - locked, leaving: gone, banned }, () =>
    [
      `${coin(total)} at stake, of which ${coin(locked)} in jobs under way`,
      ...(gone
        ? [`${coin(gone.amount)} leaving: "ichain stake collect" pays it from ${instant(gone.availableAt)}`]
        : []),
      ...(banned ? ["The account was slashed too often and is banned."] : []),
    ].join("\n"),
  );
}
