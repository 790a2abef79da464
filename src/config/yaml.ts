import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { ErrorCode } from "../errors/catalogue.ts";
import { IchainError } from "../errors/error.ts";

export interface YamlSource {
  readonly text: string;
  /** The file's name, for messages. */
  readonly name: string;
  /** Code of the error for malformed text: `CONFIG_INVALID` here, other codes for job.yaml and policy.yaml. */
  readonly code: ErrorCode;
  /** Changes the parsed value before it is checked; keeps every field where it is. */
  readonly prepare?: (value: unknown) => unknown;
}

/**
 * Parses YAML and checks it against `schema`. The error names the line and the field of the first
 * mistake; all of them are in `details.issues`.
 */
export function parseYaml<Output>(source: YamlSource, schema: z.ZodType<Output>): Output {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const broken = document.errors[0];
  if (broken) throw malformed(source, lines.linePos(broken.pos[0]).line, broken.message, []);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw malformed(source, 1, (error as Error).message, []);
  }
  const result = schema.safeParse(source.prepare?.(value ?? {}) ?? value ?? {});
  if (result.success) return result.data;
  const issues = flatten(result.error.issues, []).map(({ path, message }) => {
    const range = nodeRange(document, path);
    return { field: path.join("."), line: range === undefined ? 1 : lines.linePos(range).line, message };
  });
  const first = issues[0]!;
  throw malformed(source, first.line, `${first.field || "the file"}: ${first.message}`, issues);
}

interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Replaces a union's own message, which is empty, by those of the branch that matched deepest, or of the first. */
function flatten(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[]): Mistake[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: [...path, key], message: "is not a known field" }));
    }
    if (issue.code !== "invalid_union") return [{ path, message: issue.message }];
    const deepest = issue.errors.find((branch) => branch.some((each) => each.path.length > 0));
    return flatten(deepest ?? issue.errors[0] ?? [], path);
  });
}

/** Offset of the value at `path`, or of the nearest parent that is there. */
function nodeRange(
  document: ReturnType<typeof parseDocument>,
  path: readonly PropertyKey[],
): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = (length === 0 ? document.contents : document.getIn(path.slice(0, length), true)) as
      | { range?: [number, number, number] | null }
      | undefined
      | null;
    if (node?.range) return node.range[0];
  }
  return undefined;
}

function malformed(source: YamlSource, line: number, what: string, issues: readonly unknown[]): IchainError {
  return new IchainError(source.code, `${source.name}, line ${line}: ${what.replace(/\.?$/, ".")}`, {
    hint: `Correct line ${line} of ${source.name} and run the command again.`,
    details: { file: source.name, line, issues },
  });
}
