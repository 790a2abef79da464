import assert from "node:assert/strict";
import type { ZodType } from "zod";
import { errorOutput, outputs } from "../../src/commands/output/all.ts";

/**
 * Holds what a command printed on stdout with --json against the schema that its users were given
 * (docs/reference/json.md).
 */
export function checkOutput(args: readonly string[], stdout: string): void {
  if (!args.includes("--json") || args.includes("--help") || args.includes("--version")) return;
  const words = args.filter((word) => !word.startsWith("-"));
  const schemas: Readonly<Record<string, ZodType>> = outputs;
  const schema = schemas[words.slice(0, 2).join(" ")] ?? schemas[words[0] ?? ""];
  for (const line of stdout.split("\n").filter((text) => text.startsWith("{"))) {
    const data: unknown = JSON.parse(line);
    const failed = typeof data === "object" && data !== null && "error" in data;
    const parsed = failed ? errorOutput.safeParse(data) : schema?.safeParse(data);
    assert.ok(
      parsed === undefined || parsed.success,
      `ichain ${args.join(" ")}: ${line}\n${parsed?.error?.message}`,
    );
  }
}
