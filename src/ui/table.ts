import { stripVTControlCharacters } from "node:util";

const width = (text: string): number => stripVTControlCharacters(text).length;

/** Text from outside must not move the cursor or change colours: control characters become `·`. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "·");
}

/** Columns aligned by their widest cell, two spaces apart; no trailing spaces. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ""))));
  return lines
    .map((line) =>
      widths
        .map((size, column) => {
          const cell = line[column] ?? "";
          return cell + " ".repeat(size - width(cell));
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
