import type { CommandContext } from "../framework/declaration.ts";
import { daemonName, jobsText, tellDaemons } from "../steps/daemons.ts";

/** Lets the daemons of this home end their jobs, begin no more, and stop. */
export async function run(context: CommandContext, _args: object, options: { wait?: true }): Promise<void> {
  const daemons = await tellDaemons(context, "drain", { wait: options.wait ?? false });
  context.ui.print({ daemons }, () =>
    daemons
      .map(({ kind, state, unfinished }) =>
        state === "ended"
          ? `${daemonName(kind)} has ended its jobs and stopped.`
          : `${daemonName(kind)} takes no more jobs, and stops when it has ended ${unfinished === 0 ? "what it does" : jobsText(unfinished)}.`,
      )
      .join("\n"),
  );
}
