import { connect, type Socket } from "node:net";
import type { z } from "zod";
import { type Abortable, onAbort } from "../async/abort.ts";
import { isErrorCode } from "../errors/catalogue.ts";
import { IchainError } from "../errors/error.ts";
import type { JobId } from "../protocol/ids.ts";
import { linesOf, parseLine } from "./lines.ts";
import {
  acknowledgementSchema,
  CONTROL_VERSION,
  type DaemonKind,
  daemonStatusSchema,
  type LiveEvent,
  MAX_ANSWER_BYTES,
  replySchema,
} from "./messages.ts";
import { openSocketPath } from "./socket.ts";

/** What each request is answered with; `follow` with events. */
export const controlAnswers = {
  status: daemonStatusSchema,
  drain: acknowledgementSchema,
  stop: acknowledgementSchema,
  reload: acknowledgementSchema,
};
type Answers = { readonly [Name in keyof typeof controlAnswers]: z.infer<(typeof controlAnswers)[Name]> };

/** A connection to a daemon of this machine; disposing closes it. */
export interface ReachedDaemon extends Disposable {
  readonly kind: DaemonKind;
  /** @throws CONTROL_INVALID, CONTROL_VERSION, CONTROL_LOST, or what the daemon refuses with */
  ask<Name extends keyof Answers>(request: Name): Promise<Answers[Name]>;
  /** What it reports from now on, of one job where one is named; ends with the daemon. No request can follow. */
  follow(job?: JobId): AsyncGenerator<LiveEvent>;
  /** Resolves when the daemon has ended. */
  ended(): Promise<void>;
}

/**
 * Connects to the daemon of this kind that works in `home`; undefined where there is none.
 * @throws CONTROL_DENIED
 */
export async function reachDaemon(
  home: string,
  kind: DaemonKind,
  { signal }: Abortable,
): Promise<ReachedDaemon | undefined> {
  await using address = await openSocketPath(home, kind).catch(ignoreMissing);
  const socket = address && (await open(address.path, home));
  if (socket === undefined) return undefined;
  // Each read says what happened to the connection.
  socket.on("error", () => undefined);
  const abort = onAbort(signal, (reason) => socket.destroy(reason as Error));
  const lines = linesOf(socket, MAX_ANSWER_BYTES);
  const send = (request: object) =>
    socket.write(`${JSON.stringify({ version: CONTROL_VERSION, ...request })}\n`);

  /** The next reply, or undefined when the daemon has closed the connection. */
  async function next(): Promise<z.infer<typeof replySchema> | undefined> {
    const { value, done } = await lines.next().catch((error: unknown) => {
      signal.throwIfAborted();
      if (isReset(error)) return { value: undefined, done: true };
      throw error;
    });
    if (done || value === undefined) return undefined;
    const reply = replySchema.safeParse(parseLine(value));
    if (!reply.success) throw notUnderstood();
    if ("error" in reply.data) throw refusal(reply.data.error);
    return reply.data;
  }

  return {
    kind,
    async ask(request) {
      send({ request });
      const reply = await next();
      if (reply === undefined) {
        throw new IchainError("CONTROL_LOST", "The daemon ended before it answered.", { details: { kind } });
      }
      const answer = controlAnswers[request].safeParse("answer" in reply ? reply.answer : undefined);
      if (!answer.success) throw notUnderstood();
      return answer.data as Answers[typeof request];
    },
    async *follow(job) {
      send({ request: "follow", job });
      for (let reply = await next(); reply !== undefined; reply = await next()) {
        if ("event" in reply) yield reply.event;
      }
    },
    async ended() {
      while ((await next()) !== undefined);
    },
    [Symbol.dispose]() {
      abort[Symbol.dispose]();
      socket.destroy();
    },
  };
}

/** Undefined where nothing listens at the path. */
async function open(path: string, home: string): Promise<Socket | undefined> {
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return socket;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
    if (code !== "EACCES" && code !== "EPERM") throw error;
    throw new IchainError("CONTROL_DENIED", `The daemons of ${home} belong to another user.`, {
      cause: error,
    });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** True for a daemon that was killed while it had something to say. */
function isReset(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
}

function refusal({
  code,
  message,
  hint,
  retryable,
}: {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
}): IchainError {
  // A newer daemon may have codes that this program does not know.
  return new IchainError(isErrorCode(code) ? code : "CONTROL_REFUSED", message, { hint, retryable });
}

function notUnderstood(): IchainError {
  return new IchainError("CONTROL_INVALID", "The daemon's answer is not understood.");
}
