import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, utimesSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Home } from "../../../src/devnet/homes.ts";
import { labels } from "../../../src/sandbox/policy.ts";

const BEGUN =
  "EXISTS (SELECT 1 FROM steps WHERE steps.role = undertakings.role AND steps.key = undertakings.key)";
/** Written by every process at any time, or of a fixed number. */
const USUAL = /^(journal|index)\.db(-wal|-shm)?$|^log\/|^sandbox\/images\/|\.lock$|^memory\.json$|\.sock$/;

/** The undertakings of a home that were begun and are not finished, as `provider 0x12ab…`. */
export function unfinishedIn({ dir }: Home): string[] {
  const file = join(dir, "journal.db");
  if (!existsSync(file)) return [];
  using db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  const rows = db.prepare(`SELECT role, key FROM undertakings WHERE finished IS NULL AND ${BEGUN}`).all();
  return rows.map(({ role, key }) => `${role} ${String(key).slice(0, 10)}`);
}

/**
 * Makes two days old what a requester's process left that was killed before it had drafted its job: it is removed after
 * one.
 */
export function age({ dir }: Home): void {
  const jobs = join(dir, "jobs");
  const then = Date.now() - 2 * 86_400_000;
  const halves = existsSync(jobs) ? readdirSync(jobs).filter((name) => /^\.(draft|again)-/.test(name)) : [];
  for (const name of halves) utimesSync(join(jobs, name), then / 1000, then / 1000);
  using db = new DatabaseSync(join(dir, "journal.db"), { timeout: 10_000 });
  db.prepare(`UPDATE undertakings SET opened_at = ? WHERE finished IS NULL AND NOT ${BEGUN}`).run(then);
}

/** What a home holds besides its databases: files, without what names one job, containers, mounted disks, onions. */
export function remainsOf(home: Home): string[] {
  const files = readdirSync(home.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(home.dir, join(entry.parentPath, entry.name)))
    .filter((path) => !USUAL.test(path))
    .map(
      (path) =>
        `${home.name}: ${path.replace(/[0-9a-f]{12,}/g, "*").replace(/(\.(draft|again)-)\w+/, "$1*")}`,
    );
  const running = [...containersOf(home), ...mountsBelow(home), ...lostTors(home)];
  return [...files, ...running.map((what) => `${home.name}: ${what}`)].sort();
}

function containersOf({ dir }: Home): string[] {
  const instance = createHash("sha256").update(dir).digest("hex").slice(0, 12);
  const filter = `label=${labels.instance}=${instance}`;
  const format = `{{.Label "${labels.job}"}}`;
  const found = execFileSync("docker", ["ps", "--all", "--filter", filter, "--format", format], {
    encoding: "utf8",
  });
  return found
    .split("\n")
    .filter(Boolean)
    .map((job) => `container ${job.replace(/[0-9a-f]{12,}/g, "*")}`);
}

function mountsBelow({ dir }: Home): string[] {
  const lines = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.split(" ")[1]?.startsWith(dir));
  return lines.map(() => "a mounted disk");
}

/** Each onion is in a tor that ends with the process that started it. */
function lostTors({ dir }: Home): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ours = pids.filter((pid) => nameOf(pid) === "tor" && read(`/proc/${pid}/cmdline`).includes(dir));
  const owner = (pid: string) => /PPid:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? "";
  return ours.filter((pid) => nameOf(owner(pid)) !== "node").map(() => "a tor without its owner");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended
  }
}

function nameOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).split("/").at(-1) ?? "";
  } catch {
    return "";
  }
}

/** What is in one list and not in the other, counted: `+ provider-1: jobs/…`. */
export function changes(before: readonly string[], after: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const one of after) count.set(one, (count.get(one) ?? 0) + 1);
  for (const one of before) count.set(one, (count.get(one) ?? 0) - 1);
  return [...count]
    .filter(([, n]) => n !== 0)
    .map(([one, n]) => `${n > 0 ? "+" : "-"} ${one}${Math.abs(n) > 1 ? ` (${Math.abs(n)})` : ""}`)
    .sort();
}
