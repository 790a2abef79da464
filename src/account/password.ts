import { readFile } from "node:fs/promises";
import type { PasswordSource } from "../config.ts";
import { IchainError } from "../errors/error.ts";
import type { Prompts } from "../ui/ui.ts";

export interface PasswordRequest {
  readonly source: PasswordSource;
  readonly prompts: Prompts;
  /** True for a new wallet: the person types it twice. */
  readonly fresh?: boolean;
}

const MAX_CHARS = 1024;

/**
 * The wallet's password from where the configuration says: environment, file, or the person. Never from the command
 * line, which other users of the machine can see.
 * @throws PASSWORD_UNSUITABLE, PASSWORD_FILE_UNREADABLE, NO_TTY
 */
export async function readPassword({ source, prompts, fresh }: PasswordRequest): Promise<string> {
  if (source.from === "prompt") {
    return fresh ? prompts.newPassword("Password for the new wallet:") : prompts.password("Wallet password:");
  }
  const password = source.from === "environment" ? source.reveal() : await firstLine(source.path);
  if (password.length >= (fresh ? 8 : 1) && password.length <= MAX_CHARS) return password;
  throw new IchainError("PASSWORD_UNSUITABLE", `The password has ${password.length} characters.`);
}

async function firstLine(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).split(/\r?\n/, 1)[0]!;
  } catch (cause) {
    throw new IchainError("PASSWORD_FILE_UNREADABLE", `The password file ${path} cannot be read.`, { cause });
  }
}
