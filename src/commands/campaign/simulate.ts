import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { computeAddress, id } from "ethers";
import { parseYaml, type YamlSource } from "../../config/yaml.ts";
import { IchainError } from "../../errors/error.ts";
import { coinText } from "../../protocol/amounts.ts";
import { type Scenario, scenarioSchema } from "../../protocol/campaign/scenario.ts";
import type { Address } from "../../protocol/ids.ts";
import { type Cast, type PlayedDay, ScenarioGame } from "../../roles/campaign/simulation/play.ts";
import { loadScenarioData } from "../../roles/campaign/simulation/rows.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { drawCurves } from "./curves.ts";
import { describeCampaignDay, describeCampaignEnd } from "./days.ts";

/** Second at which simulated campaigns are opened: 1 January 2026. */
const START = 1_767_225_600;

/** Plays a data campaign in this process: a line a day, and in the end who has what. */
export async function playCampaign(
  { ui, signal }: CommandContext,
  source: YamlSource,
  options: { seed?: string; strategy?: string; plot?: string; ledger?: string },
): Promise<void> {
  const foreign = (["strategy", "ledger"] as const).find((name) => options[name] !== undefined);
  if (foreign !== undefined) {
    throw new IchainError("USAGE", `--${foreign} is for federated jobs, and ${source.name} has a campaign.`);
  }
  const prepare = (value: unknown) => withSeed(value, options.seed);
  const scenario = parseYaml({ ...source, prepare }, scenarioSchema);
  const data = await loadScenarioData(scenario, dirname(resolve(source.name)));
  const cast = castOf(scenario);
  const game = new ScenarioGame(scenario, data, cast, START);
  let [first, last]: (PlayedDay | undefined)[] = [];
  const played: PlayedDay[] = [];
  for (const day of game.days()) {
    signal.throwIfAborted();
    first ??= day;
    last = day;
    played.push(day);
    const agents = [...day.balances].map(([name, balance]) => ({ name, balance }));
    const { balances: _, ...rest } = day;
    const line = { event: "day", ...rest, agents };
    ui.stream(line, `${describeCampaignDay(line)}\n`);
  }
  const { plot } = options;
  if (plot !== undefined) await writeFile(plot, drawDays(scenario.name, played));
  const end = {
    ...endOf(scenario, first!, last!, cast, game),
    ...(plot !== undefined && { plot: resolve(plot) }),
  };
  ui.print(end, () => describeCampaignEnd(ui, end));
}

function endOf(scenario: Scenario, first: PlayedDay, last: PlayedDay, cast: Cast, game: ScenarioGame) {
  const { seed, days, balance: begin, agents } = scenario.simulation;
  return {
    event: "campaignEnd",
    name: scenario.name,
    seed: String(seed),
    ...{ days, rows: last.rows, wrong: last.wrong, fixes: last.fixes },
    accuracy: { before: first.accuracy, after: last.accuracy },
    spent: last.spent,
    panel: cast.panel.reduce((sum, member) => sum + (game.rules.owed.get(member) ?? 0n), 0n),
    agents: [...last.balances].map(([name, balance]) => {
      const { kind } = agents[name]!;
      return { name, kind, begin, balance, percent: percentOf(balance, begin) };
    }),
  };
}

/** Rows, the model's accuracy and the agents' balances by day, as SVG. */
function drawDays(name: string, days: readonly PlayedDay[]): string {
  const curve = (title: string, y: (day: PlayedDay) => number) => ({
    name: title,
    points: days.map((day) => ({ x: day.day, y: y(day) })),
  });
  const agents = [...days[0]!.balances.keys()];
  return drawCurves(name, "day", [
    { title: "Rows", curves: [curve("added", ({ rows }) => rows), curve("wrong", ({ wrong }) => wrong)] },
    { title: "Accuracy on the hidden rows", curves: [curve("model", ({ accuracy }) => accuracy)] },
    {
      title: "Balances, coin",
      curves: agents.map((one) => curve(one, ({ balances }) => Number(coinText(balances.get(one)!)))),
    },
  ]);
}

/** With two decimals. */
function percentOf(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 10_000n) / whole) / 100;
}

function withSeed(value: unknown, seed: string | undefined): unknown {
  const file = value as { simulation?: object } | null;
  if (seed === undefined || typeof file?.simulation !== "object") return value;
  return { ...file, simulation: { ...file.simulation, seed } };
}

/** Accounts of a simulation, worth nothing. */
function castOf({ simulation }: Scenario): Cast {
  const account = (name: string) => computeAddress(id(`ichain campaign: ${name}`)) as Address;
  return {
    owner: account("owner"),
    agents: new Map(Object.keys(simulation.agents).map((name) => [name, account(`agent ${name}`)])),
    panel: Array.from({ length: simulation.panel.members }, (_, i) => account(`member ${i}`)),
  };
}
