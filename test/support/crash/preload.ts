/**
 * For `node --import`: writes down each step of the journal that this process reaches, and ends the process with SIGKILL at
 * the one that is named. It wraps the statements with which `src/journal/journal.ts` records a step, so that the process
 * dies between two of its instructions, and the code under test knows nothing of it. Both files are beside the home folder
 * of the process.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type Passed, type Point, planOf, stepName, type Target, traceOf } from "./trace.ts";

const home = process.env.ICHAIN_HOME ?? "";
const source = fileURLToPath(new URL("../../../src/", import.meta.url));
/** Call sites by role, key and name: known when a step begins, and not after it has waited. */
const sites = new Map<string, string>();

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest);
  const text = sql.trim();
  if (text.startsWith("SELECT intent, outcome FROM steps")) {
    before(statement, "get", (role, key, name) => {
      const site = callSite();
      if (site !== undefined) sites.set(`${role} ${key} ${name}`, site);
    });
  } else if (text.startsWith("INSERT INTO steps")) {
    before(statement, "run", (role, key, name) => reach("prepared", role, key, name));
    after(statement, "run", (role, key, name) => reach("intended", role, key, name));
  } else if (text.startsWith("UPDATE steps SET outcome")) {
    before(statement, "run", (_outcome, role, key, name) => reach("acted", role, key, name));
  }
  return statement;
};

type Told = (...values: string[]) => void;

function before(statement: StatementSync, method: "get" | "run", tell: Told): void {
  const call = statement[method].bind(statement) as (...values: unknown[]) => unknown;
  Object.assign(statement, {
    [method]: (...values: string[]) => {
      tell(...values);
      return call(...values);
    },
  });
}

function after(statement: StatementSync, method: "run", tell: Told): void {
  const call = statement[method].bind(statement) as (...values: unknown[]) => unknown;
  Object.assign(statement, {
    [method]: (...values: string[]) => {
      const done = call(...values);
      tell(...values);
      return done;
    },
  });
}

/** Where a step is written, if the journal is asked by one: `roles/job/provider/submit.ts:22`. */
function callSite(): string | undefined {
  const frames = (new Error().stack ?? "").split("\n").filter((line) => line.includes(source));
  const inJournal = frames.findLastIndex((line) => line.includes("/src/journal/journal.ts"));
  if (!/\bstep\b/.test(frames[inJournal]?.split("(")[0] ?? "")) return undefined;
  const caller = frames.slice(inJournal + 1).find((line) => !line.includes("/src/roles/shared/transact.ts"));
  return /\/src\/([^:)]+:\d+)/.exec(caller ?? "")?.[1];
}

function reach(point: Point, role = "", key = "", name = ""): void {
  const site = sites.get(`${role} ${key} ${name}`) ?? "";
  const passed: Passed = { role, key, step: stepName(name), site, point, at: Date.now() };
  appendFileSync(traceOf(home), `${JSON.stringify(passed)}\n`);
  if (!existsSync(planOf(home))) return;
  const target = JSON.parse(readFileSync(planOf(home), "utf8")) as Target;
  if (target.role !== role || target.step !== passed.step || target.point !== point) return;
  // Once: the process that takes its place passes.
  rmSync(planOf(home));
  appendFileSync(traceOf(home), `${JSON.stringify({ ...passed, killed: true })}\n`);
  process.kill(process.pid, "SIGKILL");
}
