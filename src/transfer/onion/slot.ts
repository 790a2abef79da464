import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Slot {
  readonly dir: string;
  release(): Promise<void>;
}

/**
 * Claims a data folder `base/name-N` that no living process uses. A tor keeps its guards and its view of
 * the network there, so folders are used again, also after the process that had them was killed.
 */
export async function claimSlot(base: string, name: string): Promise<Slot> {
  for (let n = 0; ; n++) {
    const dir = join(base, `${name}-${n}`);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const file = join(dir, "owner");
    if (await claim(file)) return { dir, release: () => rm(file, { force: true }) };
  }
}

async function claim(file: string): Promise<boolean> {
  const mine = `${process.pid} ${await startTime(process.pid)}`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(file, mine, { flag: "wx", mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const [pid, started] = (await readFile(file, "utf8").catch(() => "")).split(" ");
    // A process id comes back some day: only together with its start time does it name a process.
    if (started !== undefined && (await startTime(Number(pid))) === started) return false;
    await rm(file, { force: true });
  }
  return false;
}

/** Field 22 of /proc/PID/stat, in ticks since boot; undefined when there is no such process. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in field 2 may hold anything, so fields are counted from its closing parenthesis.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
