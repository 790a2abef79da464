import { openRuntimes } from "../../compose.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Builds a runtime from its recipe, unless the engine holds an image of that very recipe. */
export async function run(context: CommandContext, { name }: { name: string }): Promise<void> {
  const { ui, signal } = context;
  const runtimes = await openRuntimes(context);
  const step = { id: "runtime", text: `Building the runtime ${name}` };
  ui.reporter.emit({ kind: "start", ...step });
  try {
    const image = await runtimes.build(name, {
      signal,
      onLog: (line) => ui.reporter.emit({ kind: "progress", id: step.id, text: `${step.text}: ${line}` }),
    });
    ui.reporter.emit({ kind: "end", id: step.id, text: `The runtime ${name} is here` });
    ui.print(image, () => image.digest);
  } catch (error) {
    ui.reporter.emit({ kind: "fail", ...step });
    throw error;
  }
}
