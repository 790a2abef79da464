import { linkSignals } from "../async/abort.ts";
import type { CommandName, OutputOf } from "../commands/output/all.ts";
import type { Config } from "../config.ts";
import { createLive } from "../control/live.ts";
import type { LiveEvent } from "../control/messages.ts";
import { IchainError } from "../errors/error.ts";
import { detachedUi } from "../ui/detached.ts";
import { explain } from "../ui/errors.ts";
import { toJson } from "../ui/format.ts";

/** Options of every call. */
export interface CallOptions {
  /** An abort makes the call throw the signal's reason, and leaves what `ichain resume` carries on. */
  readonly signal?: AbortSignal | undefined;
  /** What is reported while the call works; instead of the client's own `onEvent`. */
  readonly onEvent?: ((event: LiveEvent) => void) | undefined;
}

/** Where commands run, and until when. */
export interface ClientHome {
  readonly config: Config;
  /** Aborts when the client is closed. */
  readonly signal: AbortSignal;
  readonly onEvent: CallOptions["onEvent"];
}

/** Of a command that prints several lines. */
export interface CommandRun<Name extends CommandName> extends CallOptions {
  /** Has each line that `--json` would print. */
  readonly onOutput?: (output: OutputOf<Name>) => void;
}

/**
 * Runs a command of the command line in this process, as `ichain NAME WORDS --json` would, and resolves with the last
 * that it printed, parsed; undefined where it printed nothing.
 * @throws USAGE, what the command throws, and what is unexpected as INTERNAL
 */
export async function runCommandLine<Name extends CommandName>(
  home: ClientHome,
  name: Name,
  words: readonly string[],
  options: CommandRun<Name> = {},
): Promise<OutputOf<Name> | undefined> {
  const [{ commandTable, parseCommandLine }, { outputs }] = await Promise.all([
    import("../commands/program.ts"),
    import("../commands/output/all.ts"),
  ]);
  const invocation = parseCommandLine([...name.split(" "), ...words]);
  if (invocation.kind === "text")
    throw new IchainError("USAGE", `"${name}" was called for its help or version alone.`, {
      hint: "docs/reference/cli.md has the help of every command.",
    });
  const failed = new AbortController();
  using linked = linkSignals([home.signal, options.signal, failed.signal]);
  const live = createLive();
  const onEvent = options.onEvent ?? home.onEvent;
  // A role that reports must not fail because its listener does.
  live.follow((event) => {
    try {
      onEvent?.(event);
    } catch (error) {
      failed.abort(error);
    }
  });
  let last: OutputOf<Name> | undefined;
  // As a reader of the wire has it: amounts are bigints, and what is sealed does not come along.
  const take = (data: unknown): void => {
    last = outputs[name].parse(JSON.parse(toJson(data))) as OutputOf<Name>;
    options.onOutput?.(last);
  };
  const ui = detachedUi(live.tap({ emit() {} }), { print: take, stream: take });
  const { declaration, args, options: flags } = invocation;
  try {
    linked.signal.throwIfAborted();
    const command = await declaration.load();
    const context = { config: home.config, signal: linked.signal, ui, commands: commandTable };
    await command.run(context, args, flags);
  } catch (error) {
    throw linked.signal.aborted ? error : explain(error);
  }
  return last;
}
