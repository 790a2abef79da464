import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { IchainError } from "../errors/error.ts";
import { type ServiceSettings, unitName } from "./unit.ts";

/** Where the service manager looks for units that were written on this machine. */
export function unitPath({ manager, command }: Pick<ServiceSettings, "manager" | "command">): string {
  const folder = manager === "system" ? "/etc/systemd/system" : join(homedir(), ".config", "systemd", "user");
  return join(folder, unitName(command));
}

/**
 * Writes the unit, unless it is there as it is; resolves with what it did.
 * @throws SERVICE_EXISTS where another text is there and `force` is not given; SERVICE_UNWRITABLE
 */
export async function installUnit(
  path: string,
  text: string,
  { force }: { readonly force: boolean },
): Promise<"written" | "unchanged"> {
  try {
    const there = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (there === text) return "unchanged";
    if (there !== undefined && !force) {
      throw new IchainError("SERVICE_EXISTS", `${path} is there, and differs; it was left as it is.`, {
        details: { path },
      });
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o644 });
    return "written";
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("SERVICE_UNWRITABLE", `The unit ${path} cannot be written.`, { cause });
  }
}

/** What starts the service, and how to look at it; each a line for a shell. */
export function nextCommands({ manager, command }: Pick<ServiceSettings, "manager" | "command">): string[] {
  const name = unitName(command);
  const [own, lingering] = manager === "system" ? ["", []] : [" --user", ["loginctl enable-linger"]];
  return [
    ...lingering,
    `systemctl${own} daemon-reload`,
    `systemctl${own} enable --now ${name}`,
    `systemctl${own} status ${name}`,
    `journalctl${own} --unit ${name} --follow`,
  ];
}
