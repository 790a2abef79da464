import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";

/** Events that are kept for those who come back. */
const KEPT = 1000;
/** Browsers, or tabs of one, that follow at once. */
const MAX_FOLLOWERS = 16;
/** A follower that has not read so much is cut, and comes back, bytes. */
const MAX_BEHIND = 1 << 20;
const HEARTBEAT_MS = 15_000;

/** What happens, for pages that follow it (server-sent events). */
export interface EventHub extends Disposable {
  /** `data` must be JSON. */
  emit(event: string, data: string): void;
  /**
   * Sends what happens from now on, and what happened after `lastId`; where that is no longer known, the event `reset`,
   * at which a page reads everything again. False where too many follow already.
   */
  follow(response: ServerResponse, lastId: string | undefined): boolean;
}

export function createEventHub(): EventHub {
  // Of this process: ids of an earlier one say nothing.
  const epoch = randomBytes(4).toString("hex");
  const kept: { readonly number: number; readonly text: string }[] = [];
  const followers = new Set<ServerResponse>();
  let last = 0;
  const heartbeat = setInterval(() => send(":\n\n"), HEARTBEAT_MS).unref();

  function send(text: string): void {
    for (const follower of followers) {
      if (follower.writableLength > MAX_BEHIND) follower.destroy();
      else follower.write(text);
    }
  }

  return {
    emit(event, data) {
      last += 1;
      const text = `id: ${epoch}-${last}\nevent: ${event}\ndata: ${data}\n\n`;
      kept.push({ number: last, text });
      if (kept.length > KEPT) kept.shift();
      send(text);
    },
    follow(response, lastId) {
      if (followers.size >= MAX_FOLLOWERS) return false;
      response.write("retry: 1000\n\n");
      const [of, number] = [lastId?.split("-")[0], Number(lastId?.split("-")[1])];
      const from = of === epoch && Number.isSafeInteger(number) ? number : undefined;
      const first = kept[0]?.number ?? last + 1;
      if (lastId === undefined || from === undefined || from < first - 1 || from > last)
        response.write(`id: ${epoch}-${last}\nevent: reset\ndata: {}\n\n`);
      else for (const { number: at, text } of kept) if (at > from) response.write(text);
      followers.add(response);
      response.on("close", () => followers.delete(response));
      response.on("error", () => followers.delete(response));
      return true;
    },
    [Symbol.dispose]() {
      clearInterval(heartbeat);
      for (const follower of followers) follower.end();
    },
  };
}
