import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type TracedModel, traceModel } from "../../protocol/federated/ledger/trace.ts";
import { shortId } from "../../protocol/ids.ts";
import type { Ui } from "../../ui/ui.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { drawDot, drawGraph } from "./graph.ts";
import { openLedger } from "./open-ledger.ts";

/** Shows what a model was made from: round by round back to the start, with the data of each update. */
export async function run(
  { ui }: CommandContext,
  args: { ledger: string; model?: string },
  options: { dot?: string; svg?: string },
): Promise<void> {
  const ledger = await openLedger(args.ledger);
  const models = traceModel(ledger, args.model);
  const { start, name } = ledger.header;
  if (options.dot !== undefined) await writeFile(options.dot, drawDot(models, start));
  if (options.svg !== undefined) await writeFile(options.svg, drawGraph(models));
  const written = {
    ...(options.dot !== undefined && { dot: resolve(options.dot) }),
    ...(options.svg !== undefined && { svg: resolve(options.svg) }),
  };
  ui.print({ name, start, models, ...written }, () =>
    [
      ...models.map((model) => describeModel(ui, model)),
      `Start  ${start}`,
      ...Object.values(written).map((path) => `The graph is in ${path}.`),
    ].join("\n"),
  );
}

function describeModel(ui: Ui, { model, round, lead, strategy, parts }: TracedModel): string {
  const sum = parts.reduce((total, { weight }) => total + weight, 0);
  const rows = parts.map(({ provider, weight, accuracy, audit, update, data }) => [
    shortId(provider),
    `${((100 * weight) / sum).toFixed(1)} %`,
    (accuracy / 1e6).toFixed(3),
    audit === "none" ? "" : audit,
    shortId(update),
    shortId(data),
  ]);
  const columns = ["provider", "of the mean", "accuracy", "replay", "update", "data"];
  return `Round ${round}, ${strategy}, by ${shortId(lead)}: model ${model}\n${ui.table(columns, rows)}\n`;
}
