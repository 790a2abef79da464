import { IchainError } from "../../errors/error.ts";
import { RECIPE_LABEL } from "../runtimes/recipe.ts";

const MAX_BYTES = 64 << 10;
const MAX_STEPS = 100;
const ALLOWED = new Set(["RUN", "COPY", "ENV", "WORKDIR"]);
const STAGE = /^[a-z][a-z0-9_.-]{0,63}$/;

/**
 * The Dockerfile that is built for an untrusted one. It may hold only steps that need nothing from a network: FROM an
 * image that the engine holds (`resolve` returns its id) or an earlier stage, RUN, COPY, ENV and WORKDIR. ADD is
 * refused, because the engine itself would fetch; so are frontends, mounts and build arguments. `labels` are on every
 * layer of every stage, so that what a failed build leaves can be found and removed.
 * @throws DOCKERFILE_REFUSED
 */
export function plainDockerfile(
  text: string,
  resolve: (name: string) => string | undefined,
  labels: Readonly<Record<string, string>>,
): string {
  if (text.length > MAX_BYTES) throw refused("it is longer than 64 KiB");
  const stages = new Set<string>();
  const lines: string[] = [];
  for (const step of stepsOf(text)) {
    const [, word = "", rest = ""] = /^([A-Za-z]+)\s+(.+)$/.exec(step) ?? [];
    const instruction = word.toUpperCase();
    if (instruction === "FROM") {
      lines.push(...from(rest, stages, resolve, labels));
      continue;
    }
    if (!ALLOWED.has(instruction)) throw refused(`${JSON.stringify(step.slice(0, 40))} is not allowed`);
    if (lines.length === 0) throw refused("it does not begin with FROM");
    if (instruction === "RUN" && rest.startsWith("--")) throw refused("RUN takes no flags");
    if (instruction === "COPY") checkCopy(rest, stages);
    lines.push(`${instruction} ${rest}`);
  }
  if (lines.length === 0) throw refused("it has no steps");
  if (lines.length > MAX_STEPS) throw refused(`it has more than ${MAX_STEPS} steps`);
  return `${lines.join("\n")}\n`;
}

/** The logical lines: continued lines joined, comments removed. */
function stepsOf(text: string): string[] {
  if (/^\s*#\s*(syntax|escape|check)\s*=/im.test(text)) throw refused("it asks for another parser");
  const steps: string[] = [];
  let unfinished = "";
  for (const line of text.replace(/\r\n/g, "\n").split("\n")) {
    if (/^\s*(#|$)/.test(line)) continue;
    if (/<<[-~]?\s*["']?\w/.test(line)) throw refused("it has a here-document");
    const continued = /^(.*)\\\s*$/.exec(line);
    unfinished += continued ? `${continued[1]} ` : line;
    if (continued) continue;
    steps.push(unfinished.trim());
    unfinished = "";
  }
  if (unfinished !== "") steps.push(unfinished.trim());
  return steps;
}

function from(
  rest: string,
  stages: Set<string>,
  resolve: (name: string) => string | undefined,
  labels: Readonly<Record<string, string>>,
): readonly string[] {
  const [, name = "", stage] = /^([A-Za-z0-9][A-Za-z0-9._/:-]*)(?:\s+[Aa][Ss]\s+(\S+))?$/.exec(rest) ?? [];
  const base = stages.has(name) ? name : resolve(name);
  if (base === undefined) throw refused(`its base ${JSON.stringify(name.slice(0, 80))} is not held here`);
  if (stage !== undefined) {
    if (!STAGE.test(stage))
      throw refused("the name of a stage is not lower-case letters, digits, `_`, `.`, `-`");
    stages.add(stage);
  }
  const all = Object.entries({ ...labels, [RECIPE_LABEL]: "" });
  return [
    `FROM ${base}${stage === undefined ? "" : ` AS ${stage}`}`,
    `LABEL ${all.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(" ")}`,
  ];
}

/** Files come from the bundle or from an earlier stage, never from another image. */
function checkCopy(rest: string, stages: ReadonlySet<string>): void {
  for (const flag of rest.match(/--\S*/g) ?? []) {
    const [, source] = /^--from=(\S+)$/.exec(flag) ?? [];
    if (source !== undefined && stages.has(source)) continue;
    if (/^--(chown|chmod)=[\w:]+$/.test(flag)) continue;
    throw refused(`COPY ${flag.slice(0, 40)} is not allowed`);
  }
}

function refused(why: string): IchainError {
  return new IchainError("DOCKERFILE_REFUSED", `The job's Dockerfile cannot be built here: ${why}.`, {
    details: { why: `its Dockerfile cannot be built: ${why}` },
  });
}
