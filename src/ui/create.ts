import { neutralise } from "../protocol/neutralise.ts";
import { table, toJson } from "./format.ts";
import { createPrompts } from "./prompts.ts";
import { type ClosableReporter, plainReporter, silentReporter } from "./reporter.ts";
import type { Ui } from "./ui.ts";

export interface UiRequest {
  readonly json: boolean;
  readonly quiet: boolean;
  /** True under CI: no prompts, no spinner. */
  readonly ci: boolean;
}

/** The terminal's side of a command; `close` clears the spinner. */
export async function createUi(request: UiRequest): Promise<Ui & { close(): void }> {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true && !request.ci;
  const reporter = await chooseReporter(request);
  return {
    reporter,
    interactive,
    json: request.json,
    prompts: createPrompts(interactive),
    table,
    print(data, render) {
      const text = request.json || !render ? toJson(data) : neutralise(render());
      process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    },
    stream(data, text) {
      process.stdout.write(request.json ? `${toJson(data)}\n` : neutralise(text));
    },
    close: () => reporter.close(),
  };
}

async function chooseReporter({ quiet, ci }: UiRequest): Promise<ClosableReporter> {
  if (quiet) return silentReporter;
  // A terminal without a width, as some pseudo-terminals report, cannot show a spinner.
  if (process.stderr.isTTY !== true || !process.stderr.columns || ci) return plainReporter(process.stderr);
  const { spinnerReporter } = await import("./spinner.ts");
  return spinnerReporter(process.stderr);
}
