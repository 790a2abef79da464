import { inspect } from "node:util";
import { IchainError, isAbort } from "../errors/error.ts";
import { neutralise } from "../protocol/neutralise.ts";

/** How errors are shown: as JSON on stdout, or for people on stderr, with the stack when `debug`. */
export interface ErrorStyle {
  readonly json: boolean;
  readonly debug: boolean;
}

/** What the person is told about `error`; an unknown one becomes `INTERNAL` and keeps its cause. */
export function explain(error: unknown): IchainError {
  if (error instanceof IchainError) return error;
  if (isAbort(error)) {
    return new IchainError("Interrupted.", {
      code: "INTERRUPTED",
      class: "interrupted",
      hint: 'Nothing is lost: "ichain resume" continues what was begun.',
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new IchainError(`Something failed that ichain did not foresee: ${firstLine(message)}`, {
    code: "INTERNAL",
    class: "internal",
    hint: "Run it again with ICHAIN_DEBUG=1 for the whole story, and report it with that.",
    cause: error,
  });
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0]!.slice(0, 300);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

/** A stranger's words may be in it: they move no cursor, and a further line does not pass for one of ours. */
const shown = (text: string): string => neutralise(text).replace(/\n/g, "\n      ");

/** The one place where an error is printed. */
export async function printError(error: IchainError, style: ErrorStyle): Promise<void> {
  if (style.json) {
    const { code, message, hint, retryable, details } = error;
    const { toJson } = await import("./json.ts");
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
