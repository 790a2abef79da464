import { once } from "node:events";
import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { z } from "zod";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { JobId } from "../protocol/ids.ts";
import { linesOf, parseLine } from "./lines.ts";
import type { Live } from "./live.ts";
import {
  type Acknowledgement,
  CONTROL_VERSION,
  type ControlRequest,
  type DaemonKind,
  type DaemonStatus,
  type LiveEvent,
  MAX_ANSWER_BYTES,
  MAX_REQUEST_BYTES,
  requestSchema,
} from "./messages.ts";
import { controlFolder, openSocketPath } from "./socket.ts";

/** Connections at once. */
const MAX_CONNECTIONS = 16;
/** For a connection's next request, milliseconds; none while one is answered or followed. */
const REQUEST_MS = 10_000;

/** What a daemon does on request. */
export interface ControlHandlers {
  status(): Promise<DaemonStatus>;
  drain(): Acknowledgement;
  /** The daemon begins to end when the answer is on its way. */
  stop(): Acknowledgement;
  /** @throws what is wrong with the policy; the old one then stays */
  reload(): Promise<Acknowledgement>;
}

/**
 * Answers on the daemon's socket until disposed of. The caller holds the home's lock for this kind of daemon: a socket
 * that is there belongs to a daemon that was killed, and is replaced.
 * @throws CONTROL_FAILED
 */
export async function listenForControl(
  { home, kind }: { readonly home: string; readonly kind: DaemonKind },
  handlers: ControlHandlers,
  live: Live,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const sockets = new Set<Socket>();
  // A script may send its request and close that direction.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    void serve(socket, handlers, live);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await makePrivate(controlFolder(home));
    const { path } = stack.use(await openSocketPath(home, kind));
    await rm(path, { force: true });
    await once(server.listen(path), "listening");
    stack.defer(async () => {
      server.close();
      for (const socket of sockets) socket.destroySoon();
    });
    await chmod(path, 0o600);
  } catch (cause) {
    throw new IchainError(
      "CONTROL_FAILED",
      `The control socket in ${controlFolder(home)} cannot be opened.`,
      {
        cause,
      },
    );
  }
  const opened = stack.move();
  return { [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The folder is entered by its owner alone before a socket is in it: other users never find one open. */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!(await lstat(folder)).isDirectory())
    throw new IchainError("CONTROL_FAILED", `${folder} is no folder.`);
  await chmod(folder, 0o700);
}

/** Answers the requests of one connection, one at a time. Never rejects. */
async function serve(socket: Socket, handlers: ControlHandlers, live: Live): Promise<void> {
  const waiting = () => socket.setTimeout(REQUEST_MS, () => socket.destroy());
  using following = new DisposableStack();
  let follows = false;
  try {
    waiting();
    for await (const line of linesOf(socket, MAX_REQUEST_BYTES)) {
      if (follows) continue;
      socket.setTimeout(0);
      const request = parseRequest(line);
      follows = request.request === "follow";
      if (request.request === "follow") following.use(live.follow(teller(socket, request.job)));
      else {
        send(socket, { version: CONTROL_VERSION, answer: await handlers[request.request]() });
        waiting();
      }
    }
  } catch (error) {
    send(socket, { version: CONTROL_VERSION, error: describe(error) });
  }
  socket.destroySoon();
}

/** @throws CONTROL_VERSION, CONTROL_INVALID */
function parseRequest(line: string): ControlRequest {
  const data = parseLine(line);
  const asked = z.object({ version: z.number() }).safeParse(data).data?.version;
  if (asked !== undefined && asked !== CONTROL_VERSION) {
    throw new IchainError(
      "CONTROL_VERSION",
      `This daemon speaks version ${CONTROL_VERSION} of the control protocol, not ${asked}.`,
    );
  }
  const parsed = requestSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new IchainError("CONTROL_INVALID", "This daemon does not know the request.");
}

/** Sends events. One that does not read them loses the connection, not the daemon its memory. */
function teller(socket: Socket, job: JobId | undefined): (event: LiveEvent) => void {
  return (event) => {
    if (job !== undefined && event.job !== job) return;
    if (event.kind === "progress" && socket.writableNeedDrain) return;
    if (socket.writableLength > MAX_ANSWER_BYTES) socket.destroy();
    else send(socket, { version: CONTROL_VERSION, event });
  };
}

function send(socket: Socket, reply: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
}

function describe(error: unknown): Pick<IchainError, "code" | "message" | "hint" | "retryable"> {
  if (isIchainError(error)) {
    const { code, message, hint, retryable } = error;
    return { code, message: message.slice(0, 2000), hint: hint.slice(0, 2000), retryable };
  }
  const { code, hint, retryable } = new IchainError("INTERNAL", "");
  return { code, message: "The daemon failed to answer.", hint, retryable };
}
