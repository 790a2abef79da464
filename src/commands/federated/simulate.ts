import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseYaml, type YamlSource } from "../../config/yaml.ts";
import { type TrialFile, trialFileSchema } from "../../protocol/federated/job-file.ts";
import type { Address } from "../../protocol/ids.ts";
import { loadTrialData } from "../../roles/federated/data/load.ts";
import { SimulatedLedger } from "../../roles/federated/simulation/keep-ledger.ts";
import { simulate } from "../../roles/federated/simulation/simulate.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { drawCurve } from "./plot.ts";
import { describeEnd, describeRound, type RoundLine, roundLine } from "./rounds.ts";

/** Plays a federated job in this process: a table a round, and in the end who earned what. */
export async function playFederated(
  context: CommandContext,
  source: YamlSource,
  options: { seed?: string; strategy?: string; plot?: string; ledger?: string },
): Promise<void> {
  const { ui, signal } = context;
  const file = parseTrialFile(source, options);
  const data = await loadTrialData(file, dirname(resolve(source.name)));
  const rounds: RoundLine[] = [];
  let price = 0n;
  const ledger = options.ledger === undefined ? undefined : new SimulatedLedger(file, data);
  const records: object[] = ledger === undefined ? [] : [ledger.header];
  for await (const played of simulate(file, data, { signal })) {
    const line = roundLine(played);
    rounds.push(line);
    price = played.price;
    records.push(...(ledger?.add(played) ?? []));
    ui.stream({ event: "round", ...line }, `${describeRound(ui, line)}\n`);
  }
  const end = {
    event: "end",
    name: file.name,
    seed: String(file.simulation.seed),
    strategy: file.federated.strategy,
    rounds: rounds.length,
    price,
    accuracy: rounds.at(-1)!.accuracy,
    earned: earnings(rounds),
    ...(options.plot !== undefined && { plot: resolve(options.plot) }),
    ...(options.ledger !== undefined && { ledger: resolve(options.ledger) }),
  };
  if (options.plot !== undefined) await writeFile(options.plot, drawCurve(file.name, rounds));
  if (options.ledger !== undefined) {
    await writeFile(options.ledger, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }
  ui.print(end, () => describeEnd(ui, end));
}

function parseTrialFile(source: YamlSource, options: { seed?: string; strategy?: string }): TrialFile {
  const prepare = (value: unknown) => withOptions(value, options);
  return parseYaml({ ...source, prepare }, trialFileSchema);
}

/** The file's value with the options in it, before it is checked. */
function withOptions(value: unknown, { seed, strategy }: { seed?: string; strategy?: string }): unknown {
  const file = value as { federated?: { strategy?: string }; simulation?: object } | null;
  if (typeof file?.federated !== "object" || typeof file.simulation !== "object") return value;
  const other = strategy !== undefined && strategy !== file.federated?.strategy;
  return {
    ...file,
    // Settings are the named strategy's: another begins with its own.
    federated: other ? { ...file.federated, strategy, settings: {} } : file.federated,
    simulation: seed === undefined ? file.simulation : { ...file.simulation, seed },
  };
}

function earnings(rounds: readonly RoundLine[]) {
  const earned = new Map<Address, { account: Address; bad?: string; pay: bigint; rounds: number }>();
  for (const { account, bad, pay } of rounds.flatMap((round) => round.providers)) {
    const before = earned.get(account) ?? { account, ...(bad !== undefined && { bad }), pay: 0n, rounds: 0 };
    earned.set(account, {
      ...before,
      pay: before.pay + pay,
      rounds: before.rounds + (pay > 0n ? 1 : 0),
    });
  }
  return [...earned.values()];
}
