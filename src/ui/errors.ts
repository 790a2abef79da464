import { inspect } from "node:util";
import { IchainError, isAbort } from "../errors/error.ts";
import { neutralise } from "../protocol/neutralise.ts";

/** How errors are shown: as JSON on stdout, or for people on stderr, with the stack when `debug`. */
export interface ErrorStyle {
  readonly json: boolean;
  readonly debug: boolean;
}

/** `error` as an `IchainError`; an unknown one becomes `INTERNAL` and keeps its cause. */
export function explain(error: unknown): IchainError {
  if (error instanceof IchainError) return error;
  if (isAbort(error)) {
    return new IchainError("INTERRUPTED", "Interrupted.", { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new IchainError("INTERNAL", `An unexpected error occurred: ${firstLine(message)}`, {
    cause: error,
  });
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0]!.slice(0, 300);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

/** Text of another party may be in it: control characters are replaced, and further lines are indented. */
const shown = (text: string): string => neutralise(text).replace(/\n/g, "\n      ");

/** Prints an error; nothing else does. */
export async function printError(error: IchainError, style: ErrorStyle): Promise<void> {
  if (style.json) {
    const { code, message, hint, retryable, details } = error;
    const { toJson } = await import("./format.ts");
    process.stdout.write(`${toJson({ error: { code, message, hint, retryable, details } })}\n`);
  } else {
    const { chalkStderr } = await import("chalk");
    process.stderr.write(
      `${chalkStderr.red("error")} ${shown(error.message)} ${chalkStderr.dim(`[${error.code}]`)}\n`,
    );
    process.stderr.write(`${chalkStderr.cyan("hint")}  ${shown(error.hint)}\n`);
  }
  if (style.debug) process.stderr.write(`${neutralise(inspect(error, { depth: 6 }))}\n`);
}
