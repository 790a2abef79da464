import { harmless } from "../protocol/neutralise.ts";

/** Columns aligned by their widest cell, two spaces apart; no trailing spaces. Control characters in cells are replaced. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(harmless));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      widths
        .map((size, column) => {
          const cell = line[column] ?? "";
          return cell + " ".repeat(size - cell.length);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
