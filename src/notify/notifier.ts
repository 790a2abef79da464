import { spawn } from "node:child_process";
import { once } from "node:events";
import { childEnvironment } from "../config.ts";
import type { Logger } from "../ports/logger.ts";
import type { Notification, OwnerNotifier } from "../ports/notifier.ts";
import type { Address } from "../protocol/ids.ts";
import { postThrough, proxyVariables, type SocksProxy } from "./through-proxy.ts";

export interface NotifySettings {
  /** Program and arguments; gets the notification on its standard input. */
  readonly command?: readonly string[] | undefined;
  /** http or https. */
  readonly webhook?: string | undefined;
  /** How both reach the network. */
  readonly through?: "direct" | "tor" | undefined;
}

export interface NotifierOptions {
  readonly account: Address;
  readonly logger: Logger;
  /** Tor's SOCKS port, for `through: tor`; called for every delivery, because a tor that starts again has another one. */
  proxy?(options: { readonly signal: AbortSignal }): Promise<SocksProxy>;
  /** Milliseconds that one delivery may take. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** A tor that starts, and its circuits, take longer. */
const TOR_TIMEOUT_MS = 120_000;
/** Notifications that wait at most; a receiver that hangs loses the newer ones. */
const MAX_WAITING = 100;

/**
 * Delivers notifications in order, one at a time and once each, as `{"version": 1, "account", "event", "job", "text"}`.
 * A failed delivery is a line in the log. Disposing waits for those that are under way.
 */
export function createNotifier(
  { command, webhook, through = "direct" }: NotifySettings,
  { account, logger, proxy, timeoutMs = through === "tor" ? TOR_TIMEOUT_MS : TIMEOUT_MS }: NotifierOptions,
): OwnerNotifier & AsyncDisposable {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  /** Never without the proxy where one is wanted: `through: tor` must not fall back to a direct connection. */
  const way = async (
    use: (proxy: SocksProxy | undefined, signal: AbortSignal) => Promise<string | undefined>,
  ) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      if (through === "direct") return await use(undefined, signal);
      return proxy ? await use(await proxy({ signal }), signal) : "there is no tor";
    } catch (error) {
      return reasonOf(error);
    }
  };
  const ways = [
    ...(command
      ? [{ name: "command", send: (body: string) => way((by, signal) => run(command, body, by, signal)) }]
      : []),
    ...(webhook
      ? [{ name: "webhook", send: (body: string) => way((by, signal) => post(webhook, body, by, signal)) }]
      : []),
  ];
  const deliver = async (notification: Notification): Promise<void> => {
    const { event, job, text } = notification;
    const body = JSON.stringify({ version: 1, account, event, job, text });
    for (const { name, send } of ways) {
      const why = await send(body);
      if (why !== undefined) logger.warn("The owner could not be told", { way: name, event, job, why });
    }
    waiting -= 1;
  };
  return {
    tell(notification) {
      if (ways.length === 0) return;
      if (waiting >= MAX_WAITING) {
        const { event, job } = notification;
        return logger.warn("The owner is not told: too many notifications wait", { event, job });
      }
      waiting += 1;
      last = last.then(() => deliver(notification));
    },
    [Symbol.asyncDispose]: () => last,
  };
}

/** Resolves with why it failed, or with undefined. */
async function run(
  [program, ...args]: readonly string[],
  body: string,
  proxy: SocksProxy | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const child = spawn(program!, args, {
    env: childEnvironment(proxy && proxyVariables(proxy)),
    stdio: ["pipe", "ignore", "ignore"],
    // Not `timeout`: its timer goes on after a program that did not start.
    ...{ signal, killSignal: "SIGKILL" },
  });
  // A program that does not read is no failure; its exit code says what is.
  child.stdin.on("error", () => undefined);
  child.stdin.end(`${body}\n`);
  const [code, ending] = await once(child, "close");
  return code === 0 ? undefined : `it ended with ${ending ?? code}`;
}

/** Resolves with why it failed, or with undefined. */
async function post(
  url: string,
  body: string,
  proxy: SocksProxy | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const status = proxy ? await postThrough(proxy, url, body, signal) : await postDirectly(url, body, signal);
  return status >= 200 && status < 300 ? undefined : `it answered ${status}`;
}

async function postDirectly(url: string, body: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(url, {
    ...{ method: "POST", body, headers: { "content-type": "application/json" } },
    // A redirect would send it to a host that its owner did not name.
    ...{ redirect: "error", signal },
  });
  await response.body?.cancel();
  return response.status;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
