import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cell, type Lane, type Outcome, openLane } from "./lane.ts";
import { changes } from "./remains.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { type Point, points, stepSites } from "./trace.ts";

export interface TableOptions {
  /** Of these scenarios alone; of all when absent. Then every step of the sources must be reached. */
  readonly only?: readonly string[] | undefined;
  /** Some cells alone. */
  readonly wants?: (cell: Cell) => boolean;
  /** Most runs of a scenario with kills. */
  readonly most?: number | undefined;
  readonly transport?: "direct" | "onion";
  readonly lanes?: number;
  readonly say: (text: string) => void;
}

export interface Row {
  readonly scenario: string;
  readonly role: string;
  readonly step: string;
  readonly site: string;
  /** "ok", or what was wrong; absent where the point is not reached in an undisturbed run. */
  readonly cells: Partial<Record<Point, string>>;
}

export interface Table {
  readonly rows: readonly Row[];
  readonly cells: number;
  readonly runs: number;
  readonly minutes: number;
  readonly failures: readonly string[];
  /** Lines of the sources that make a step and that no run has reached. */
  readonly unreached: readonly string[];
}

/** How often a kill is tried for which a party has to be first. */
const MOST_RACES = 8;

/** Steps that a run of this table cannot reach, by folder, and what kills there. */
const elsewhere: Readonly<Record<string, string>> = {
  "roles/federated/market/": "scripts/crash-rounds.ts",
  "commands/job/federated/": "scripts/crash-rounds.ts",
};

/** Steps that no course here reaches, by file and what is on their line. Each is an omission: it is killed by no test. */
const omitted: readonly (readonly [file: string, line: string])[] = [
  ["roles/daemon/stake.ts", "transact("],
  ["roles/repair/repair.ts", '"accept"'],
  ["roles/shared/lost-job.ts", "LOST"],
  ["roles/shared/withdraw.ts", "record, call"],
  ["roles/task/ensure-image.ts", '"image"'],
  ["roles/job/provider/deliver.ts", '"disclose"'],
  ["roles/job/provider/deliver.ts", '"appeal"'],
  ["roles/job/requester/challenge.ts", "seed-"],
  ["roles/job/requester/successors/next-provider.ts", "STEP"],
  ["roles/job/validator/commit.ts", '"abstain"'],
  ["roles/job/validator/validate.ts", '"abstain"'],
  ["roles/job/validator/measure.ts", '"measurement"'],
];

function isOmitted(site: string): boolean {
  const [file = "", line = ""] = site.split(":");
  const text = readFileSync(join(sources, file), "utf8").split("\n")[Number(line) - 1] ?? "";
  return omitted.some((one) => one[0] === file && text.includes(one[1]));
}

const sources = fileURLToPath(new URL("../../../src", import.meta.url));

/** Kills each role at each of its steps, and looks whether the job ends as if nothing had been. */
export async function crashTable(options: TableOptions): Promise<Table> {
  const began = performance.now();
  const { only, lanes = 1, transport = "direct" } = options;
  const wanted = scenarios.filter(({ name }) => only === undefined || only.includes(name));
  const [queue, known] = [[...wanted], new Set<string>()];
  const tables = await Promise.all(
    Array.from({ length: Math.min(lanes, queue.length) }, () =>
      playLane({ queue, known }, { ...options, transport }),
    ),
  );
  const rows = tables.flatMap((table) => table.rows);
  const sites = new Set(tables.flatMap((table) => [...table.sites]));
  const unreached =
    only === undefined
      ? stepSites(sources).filter(
          (site) =>
            !sites.has(site) &&
            !isOmitted(site) &&
            !Object.keys(elsewhere).some((one) => site.startsWith(one)),
        )
      : [];
  return {
    rows,
    cells: rows.reduce((sum, row) => sum + Object.keys(row.cells).length, 0),
    runs: tables.reduce((sum, { runs }) => sum + runs, 0),
    minutes: Number(((performance.now() - began) / 60_000).toFixed(1)),
    failures: [
      ...tables.flatMap((table) => table.failures),
      ...unreached.map((site) => `no run reaches the step at ${site}`),
    ],
    unreached,
  };
}

interface LaneTable {
  readonly rows: Row[];
  readonly failures: string[];
  readonly sites: Set<string>;
  runs: number;
}

/** One market, on which scenarios run that no other has taken. */
async function playLane(
  { queue, known }: { queue: Scenario[]; known: Set<string> },
  {
    wants = () => true,
    most = Number.POSITIVE_INFINITY,
    transport,
    say,
  }: TableOptions & { transport: "direct" | "onion" },
): Promise<LaneTable> {
  const table: LaneTable = { rows: [], failures: [], sites: new Set(), runs: 0 };
  await using lanes = new AsyncDisposableStack();
  const open = async (): Promise<Lane> => {
    const opened = lanes.use(await openLane(transport));
    // The first job makes keys and caches, which stay.
    await opened.run(scenarios[0]!, []);
    return opened;
  };
  let lane = await open();
  const play = async (scenario: Scenario, cells: readonly Cell[]): Promise<Outcome> => {
    const outcome = await lane.run(scenario, cells);
    if (!outcome.ended) {
      await lane[Symbol.asyncDispose]();
      lane = await open();
    }
    return outcome;
  };
  for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift()) {
    table.runs += 1;
    const model = await play(scenario, []);
    say(`${scenario.name}, undisturbed: ${model.seconds} s, ${model.jobs.join(", ")}`);
    if (model.wrong.length > 0) {
      table.failures.push(`${scenario.name}, undisturbed: ${model.wrong.join("; ")}`);
      say(table.failures.at(-1)!);
      continue;
    }
    const rows = rowsOf(scenario, model, known);
    table.rows.push(...rows.map(({ row }) => row));
    for (const site of [...model.passed.values()].flat().map((one) => one.site)) table.sites.add(site);
    const groups = grouped(rows, wants).slice(0, most);
    const played = new Map<string, number>();
    while (groups.length > 0) {
      const group = groups.shift()!;
      table.runs += 1;
      const kills = group.map(({ cell }) => cell);
      const found = await play(scenario, kills);
      for (const { site } of [...found.passed.values()].flat()) table.sites.add(site);
      const isOther = kills.some(({ role }) => role === "requester") && endsAs(found, scenario.alsoEnds);
      const wrong = [...found.wrong, ...(isOther ? [] : differences(model, found))];
      const what = kills.map((cell) => `${cell.home} ${cell.step} ${cell.point}`).join(", ");
      say(`${scenario.name}: ${what}: ${found.seconds} s, ${wrong.length === 0 ? "ok" : wrong.join("; ")}`);
      // Each by itself, to see which it was. Where parties race for a step, the other one may have been first.
      const missed = wrong.length === 1 && wrong[0]!.endsWith("was not reached");
      const tries = (played.get(what) ?? 0) + 1;
      played.set(what, tries);
      if (wrong.length > 0 && group.length > 1) groups.unshift(...group.map((one) => [one]));
      else if (missed && tries < MOST_RACES) groups.unshift(group);
      else {
        for (const { row, cell } of group)
          row.cells[cell.point] = wrong.length === 0 ? "ok" : wrong.join("; ");
        if (wrong.length > 0) table.failures.push(`${scenario.name}: ${what}: ${wrong.join("; ")}`);
      }
    }
  }
  return table;
}

interface Planned {
  readonly row: Row & { cells: Partial<Record<Point, string>> };
  readonly cells: readonly Cell[];
}

/** A row for each step that no scenario before has reached. */
function rowsOf(scenario: Scenario, { passed }: Outcome, known: Set<string>): Planned[] {
  const planned: Planned[] = [];
  for (const [home, steps] of passed) {
    for (const { role, step, site } of steps) {
      const name = `${role} ${step} ${site}`;
      if (known.has(name)) continue;
      known.add(name);
      const reached = points.filter((point) =>
        steps.some((one) => one.role === role && one.step === step && one.point === point),
      );
      const cells = reached.map((point) => ({ home, role, step, point }));
      planned.push({ row: { scenario: scenario.name, role, step, site, cells: {} }, cells });
    }
  }
  return planned;
}

/** Runs with one kill in each home: the kills of different parties do not touch each other. */
function grouped(planned: readonly Planned[], wants: (cell: Cell) => boolean) {
  const all = planned.flatMap(({ row, cells }) => cells.filter(wants).map((cell) => ({ row, cell })));
  const homes = [...Map.groupBy(all, ({ cell }) => cell.home).values()];
  const longest = Math.max(0, ...homes.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => homes.flatMap((list) => list.slice(i, i + 1)));
}

const endsAs = ({ jobs }: Outcome, wanted: readonly string[] | undefined): boolean =>
  wanted !== undefined && jobs.join() === wanted.join();

/** What came out otherwise than without a kill. */
function differences(model: Outcome, found: Outcome): string[] {
  return [
    ...changes(model.jobs, found.jobs).map((one) => `ending ${one}`),
    ...changes(model.transactions, found.transactions).map((one) => `transaction ${one}`),
    ...changes(model.remains, found.remains).map((one) => `left ${one}`),
  ];
}
