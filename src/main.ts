import { readFileSync } from "node:fs";
import type { GlobalOptions, Invocation } from "./commands/program.ts";
import { exitCodes } from "./errors/entry.ts";
import { IchainError } from "./errors/error.ts";

/**
 * The text of `ichain --help` from the build, which takes half the time of loading commander. Undefined for any other
 * command line, in a narrow terminal, and without a build.
 */
function builtHelp(argv: readonly string[]): string | undefined {
  if (argv.length > 1 || !["--help", "-h"].includes(argv[0] ?? "-h")) return undefined;
  if ((process.stdout.columns ?? 80) < 80) return undefined;
  try {
    return readFileSync(new URL("./help.txt", import.meta.url), "utf8");
  } catch {
    return undefined;
  }
}

async function parseInvocation(argv: readonly string[]): Promise<Invocation> {
  const text = builtHelp(argv);
  if (text !== undefined) return { kind: "text", text };
  const { parseCommandLine } = await import("./commands/program.ts");
  return parseCommandLine(argv);
}

/** Aborts at the first signal; the second ends the process at once. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort(new IchainError("INTERRUPTED", "Interrupted."));
    });
  }
  return controller.signal;
}

async function execute(invocation: Invocation): Promise<void> {
  if (invocation.kind === "text") {
    process.stdout.write(invocation.text);
    return;
  }
  const { declaration, args, options, globals } = invocation;
  const signal = abortOnSignals();
  const [{ loadConfig }, { createUi }, { commandTable }] = await Promise.all([
    import("./config.ts"),
    import("./ui/create.ts"),
    import("./commands/tables/all.ts"),
  ]);
  const config = await loadConfig({ file: globals.config });
  const ui = await createUi({ json: globals.json, quiet: globals.quiet, ci: config.ci });
  try {
    const command = await declaration.load();
    await command.run({ config, signal, ui, commands: commandTable }, args, options);
  } finally {
    ui.close();
  }
}

async function report(error: unknown, globals: Pick<GlobalOptions, "json">): Promise<number> {
  const [{ explain, printError }, { environment }] = await Promise.all([
    import("./ui/errors.ts"),
    import("./config.ts"),
  ]);
  const explained = explain(error);
  await printError(explained, { json: globals.json, debug: environment().ICHAIN_DEBUG !== undefined });
  return exitCodes[explained.class];
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write("", () => resolve()));

/** Runs one command line and ends the process with the exit code of its outcome. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that closes the pipe early (`ichain jobs | head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  let code = 0;
  try {
    await execute(await parseInvocation(argv));
  } catch (error) {
    code = await report(error, { json: argv.includes("--json") });
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}
