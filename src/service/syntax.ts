import { IchainError } from "../errors/error.ts";

/**
 * A value in the syntax of systemd's units (systemd.syntax(7)): in double quotes, with the specifiers' `%` doubled. It
 * stands for a list's item, or for an argument of a command line whose variables are not expanded (`ExecStart=:`).
 * @throws USAGE for a text that no line of a unit can hold
 */
export function quoted(text: string): string {
  return `"${specifierFree(text).replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * A path where systemd takes the rest of the line as it is (`LoadCredential=`, `WorkingDirectory=`).
 * @throws USAGE
 */
export function plainPath(path: string): string {
  if (/^\s|[\s\\]$/.test(path)) throw unsuitable(path);
  return specifierFree(path);
}

function specifierFree(text: string): string {
  if (/\p{Cc}/u.test(text)) throw unsuitable(text);
  return text.replaceAll("%", "%%");
}

function unsuitable(text: string): IchainError {
  return new IchainError("USAGE", `A systemd unit cannot hold ${JSON.stringify(text)}.`, {
    hint: "Rename the file or folder: no control characters in it, and neither space nor backslash at an end.",
  });
}
