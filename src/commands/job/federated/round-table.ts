import type { TokenInfo } from "../../../protocol/amounts.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { ClosedRound } from "../../../roles/federated/market/requester/round/books.ts";
import { bytes, money } from "../../../ui/format.ts";
import type { Ui } from "../../../ui/ui.ts";

const NOTHING = `0x${"0".repeat(64)}`;

/** What became of a round, as `--json` has it: whose update was taken, what each was worth, what it is paid. */
export function roundData(jobId: JobId, { round, closing, members, paid, took, before }: ClosedRound) {
  const [pays, works] = [new Map(paid), new Map(took)];
  const providers = members.map(({ provider, upload, rows, accuracy, weight }) => ({
    account: provider,
    rows,
    sent: upload !== NOTHING,
    ...works.get(provider),
    accuracy: accuracy / 1e6,
    weight,
    pay: { amount: String(pays.get(provider) ?? 0n) },
  }));
  const event = "round" as const;
  return { event, jobId, round, model: closing.modelDigest, ...(before && { before }), providers };
}

/** Prints the same. */
export function printRound(ui: Ui, jobId: JobId, closed: ClosedRound, token: TokenInfo): void {
  const data = roundData(jobId, closed);
  const { round, before, providers } = data;
  const pays = new Map(closed.paid);
  ui.print(data, () =>
    [
      `Round ${round}${before ? `, began at accuracy ${before.acc.toFixed(3)}` : ", no update arrived"}`,
      ui.table(
        ["PROVIDER", "ROWS", "TRAINED", "SENT", "ACCURACY", "WEIGHT", "PAY"],
        providers.map(({ account, rows, seconds, bytes: sentBytes, sent, accuracy, weight }) => [
          shortId(account),
          String(rows),
          seconds === undefined ? "-" : `${seconds} s`,
          sentBytes === undefined ? "-" : bytes(sentBytes),
          sent ? accuracy.toFixed(3) : "-",
          sent ? (weight > 0 ? String(weight) : "left out") : "nothing came",
          money(pays.get(account) ?? 0n, token),
        ]),
      ),
    ].join("\n"),
  );
}
