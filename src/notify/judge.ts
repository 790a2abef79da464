import { spawn } from "node:child_process";
import { once } from "node:events";
import { linkSignals } from "../async/abort.ts";
import { childEnvironment } from "../config.ts";
import type { Logger } from "../ports/logger.ts";
import type { OwnerProgram } from "../ports/notifier.ts";

/** Milliseconds that one answer may take. */
const TIMEOUT_MS = 60_000;
/** Of what the program prints: more is no answer, however it begins. */
const MAX_CHARS = 64;

/**
 * Asks a program of the owner: it gets the question as one line of JSON on its standard input, with `"version": 1`, and
 * prints `right` or `wrong`. Anything else, a failure among them, is no answer.
 * @param command Program and arguments.
 */
export function programJudge([program, ...args]: readonly string[], logger: Logger): OwnerProgram {
  return async (question, { signal }) => {
    const { campaign, entry, row, fix } = question;
    const noAnswer = (why: string) => {
      logger.warn("The program that judges gave no answer", { campaign, entry, row, fix, why });
      return undefined;
    };
    using bounded = linkSignals([signal], TIMEOUT_MS);
    try {
      const child = spawn(program!, args, {
        env: childEnvironment(),
        stdio: ["pipe", "pipe", "ignore"],
        ...{ signal: bounded.signal, killSignal: "SIGKILL" },
      });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(0, MAX_CHARS + 1);
      });
      // A program that does not read is no failure.
      child.stdin.on("error", () => undefined);
      child.stdin.end(`${JSON.stringify({ version: 1, ...question })}\n`);
      const [code] = await once(child, "close");
      const word = said.trim();
      const isAnswer = code === 0 && said.length <= MAX_CHARS;
      if (isAnswer && (word === "right" || word === "wrong")) return word === "right";
      return noAnswer(code === 0 ? `it said "${word}"` : `it ended with ${code}`);
    } catch (error) {
      signal.throwIfAborted();
      return noAnswer(error instanceof Error ? error.message : String(error));
    }
  };
}
