import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Where a process is killed at a step: `prepared`, all is decided and nothing recorded; `intended`, the intent is recorded
 * and the act has not begun; `acted`, the act is done and its outcome is not recorded.
 */
export const points = ["prepared", "intended", "acted"] as const;
export type Point = (typeof points)[number];

export interface Target {
  readonly role: string;
  /** Without accounts and numbers: `handover-*`. */
  readonly step: string;
  readonly point: Point;
}

export interface Passed extends Target {
  /** Of the undertaking. */
  readonly key: string;
  /** The line that makes the step: `roles/job/provider/submit.ts:22`. */
  readonly site: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly killed?: boolean;
}

/** Of a home folder: the file in which its processes write what they pass. */
export const traceOf = (home: string): string => `${home}.trace`;
/** The file that says at which step its next process is to be killed. */
export const planOf = (home: string): string => `${home}.plan`;

export const stepName = (name: string): string => name.replace(/0x[0-9a-f]+/g, "*").replace(/\d+/g, "N");

export function arm(home: string, target: Target): void {
  writeFileSync(planOf(home), JSON.stringify(target));
}

export function disarm(home: string): void {
  rmSync(planOf(home), { force: true });
}

/** What the processes of a home have passed since the last call of `forgetPassed`. */
export function passedIn(home: string): Passed[] {
  appendFileSync(traceOf(home), "");
  return readFileSync(traceOf(home), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Passed);
}

export function forgetPassed(home: string): void {
  writeFileSync(traceOf(home), "");
}

/** Every line of `src` that makes a step of the journal, as in `Passed.site`; `folder` is that of the sources. */
export function stepSites(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    ({ name, parentPath }) => name.endsWith(".ts") && !/\/src\/(ports|journal)$/.test(parentPath),
  );
  return files.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name);
    const file = path.slice(join(folder, "/").length);
    if (file === "roles/shared/transact.ts") return [];
    return readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line, i) => (/\.step[<(]|(?<!function )\btransact\(/.test(line) ? [`${file}:${i + 1}`] : []));
  });
}
