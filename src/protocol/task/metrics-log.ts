/**
 * Metrics by name, from a task's output: the numbers of the last line that is a JSON object, or else lines such as
 * `acc: 0.97`, of which the last one of each name counts. At most 64.
 */
export type Metrics = Readonly<Record<string, number>>;

const MAX_METRICS = 64;
const LINE = /^\s*([A-Za-z][\w.-]{0,63})\s*:\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$/;

export function readMetrics(log: string): Metrics {
  const lines = log.split("\n");
  return fromJson(lines) ?? fromLines(lines);
}

function fromJson(lines: readonly string[]): Metrics | undefined {
  const last = lines.findLast((line) => line.startsWith("{") && line.trimEnd().endsWith("}"));
  if (last === undefined) return undefined;
  try {
    const numbers = Object.entries(JSON.parse(last) as object).filter(
      (entry): entry is [string, number] => typeof entry[1] === "number" && Number.isFinite(entry[1]),
    );
    return numbers.length === 0 ? undefined : Object.fromEntries(numbers.slice(0, MAX_METRICS));
  } catch {
    return undefined;
  }
}

function fromLines(lines: readonly string[]): Metrics {
  const found = new Map<string, number>();
  for (const line of lines) {
    const match = LINE.exec(line);
    const [name, value] = [match?.[1], Number(match?.[2])];
    if (name !== undefined && Number.isFinite(value) && (found.has(name) || found.size < MAX_METRICS)) {
      found.set(name, value);
    }
  }
  return Object.fromEntries(found);
}
