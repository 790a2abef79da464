import { chalkStderr } from "chalk";
import ora from "ora";
import { type ClosableReporter, line } from "./reporter.ts";

/** A spinner with the newest running step; each finished one stays above it as a line. */
export function spinnerReporter(stream: NodeJS.WriteStream): ClosableReporter {
  const spinner = ora({ stream, discardStdin: false });
  const steps = new Map<string, string>();
  let open = true;

  function redraw(): void {
    const newest = [...steps.values()].at(-1);
    if (newest === undefined) {
      spinner.stop();
      return;
    }
    spinner.text = steps.size > 1 ? `${newest} ${chalkStderr.dim(`(+${steps.size - 1})`)}` : newest;
    if (!spinner.isSpinning) spinner.start();
  }
  function keep(mark: string, text: string): void {
    spinner.stop();
    stream.write(`${mark} ${text}\n`);
    redraw();
  }

  return {
    emit(event) {
      if (!open) return;
      const text = line(event);
      if (event.kind === "start" || event.kind === "progress") {
        steps.set(event.id, text);
        redraw();
      } else if (event.kind === "end" || event.kind === "fail") {
        steps.delete(event.id);
        keep(event.kind === "end" ? chalkStderr.green("✔") : chalkStderr.red("✖"), text);
      } else {
        keep(event.kind === "warn" ? chalkStderr.yellow("!") : chalkStderr.dim("-"), text);
      }
    },
    close() {
      open = false;
      spinner.stop();
    },
  };
}
