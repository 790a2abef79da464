import { openRuntimes } from "../../compose.ts";
import { IchainError } from "../../errors/error.ts";
import type { CommandContext } from "../framework/declaration.ts";

interface Checked {
  readonly name: string;
  readonly state: string;
  readonly digest: string | undefined;
  readonly rebuilt?: string;
}

/**
 * Says of each runtime whether it is held, from its present recipe, and fit for use; with --rebuild it is
 * built once more and the digests are compared. Ends with `RUNTIME_NOT_READY` when one is not as it should be, or when
 * the one that is named, or every one, is absent: a machine need not hold each runtime.
 */
export async function run(
  context: CommandContext,
  args: { name?: string },
  options: { rebuild?: true },
): Promise<void> {
  const { ui, signal } = context;
  const runtimes = await openRuntimes(context);
  const checked: Checked[] = [];
  for (const name of args.name === undefined ? await runtimes.names() : [args.name]) {
    const { state, digest } = await runtimes.check(name, { signal });
    if (!options.rebuild || state === "absent") checked.push({ name, state, digest });
    else {
      const rebuilt = await rebuild(context, () => runtimes.rebuild(name, { signal }), name);
      checked.push({ name, state: rebuilt === digest ? state : "differs", digest, rebuilt });
    }
  }
  ui.print({ runtimes: checked }, () =>
    ui.table(
      ["RUNTIME", "STATE", "DIGEST"],
      checked.map(({ name, state, digest }) => [name, state, digest ?? "-"]),
    ),
  );
  const held = checked.filter(({ state }) => state !== "absent");
  const bad = (held.length > 0 ? held : checked).filter(({ state }) => state !== "ready");
  if (bad.length > 0) throw notReady(bad);
}

async function rebuild({ ui }: CommandContext, act: () => Promise<string>, name: string): Promise<string> {
  const step = { id: "rebuild", text: `Building the runtime ${name} once more` };
  ui.reporter.emit({ kind: "start", ...step });
  try {
    const digest = await act();
    ui.reporter.emit({ kind: "end", id: step.id, text: `Built the runtime ${name} once more` });
    return digest;
  } catch (error) {
    ui.reporter.emit({ kind: "fail", ...step });
    throw error;
  }
}

const meanings: Readonly<Record<string, string>> = {
  absent: "is not held",
  stale: "is from an older recipe",
  refused: "has settings that would widen the sandbox",
  differs: "is not what its recipe gives today (newer packages, or another image under its name)",
};

function notReady(bad: readonly Checked[]): IchainError {
  const states = bad.map(({ name, state }) => `${name} ${meanings[state] ?? state}`);
  return new IchainError("RUNTIME_NOT_READY", `The runtime ${states.join("; ")}.`, {
    hint: `"ichain runtime build ${bad[0]!.name}" builds it from its present recipe.`,
    details: { runtimes: bad.map(({ name, state }) => ({ name, state })) },
  });
}
