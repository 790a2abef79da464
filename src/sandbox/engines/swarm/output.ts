import { type AbortOptions, linkSignals } from "../../../async/abort.ts";
import type { DockerClient } from "../client.ts";
import { payload } from "../frames.ts";
import { serviceName } from "./spec.ts";

/**
 * The output of a service's task as it is printed, until `ended` resolves. Swarm's own stream does not end, so it is
 * closed when the task has ended, and what it had not delivered by then is read from the stored log.
 */
export async function* serviceOutput(
  { docker, call }: DockerClient,
  name: string,
  ended: (options: AbortOptions) => Promise<unknown>,
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array> {
  const over = new AbortController();
  using halt = linkSignals([over.signal, signal]);
  ended({ signal: halt.signal }).then(
    () => over.abort(),
    () => over.abort(), // the supervision of the task meets the same error and reports it
  );
  let seen = 0;
  try {
    for await (const chunk of payload(await read(true, halt.signal))) {
      seen += chunk.length;
      yield chunk;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!over.signal.aborted) throw error;
  } finally {
    over.abort();
  }
  for await (const chunk of payload(await read(false, signal))) {
    const fresh = chunk.subarray(Math.min(seen, chunk.length));
    seen -= chunk.length - fresh.length;
    if (fresh.length > 0) yield fresh;
  }

  /** A stream when followed; otherwise the stored log at once, whose size log rotation limits. */
  async function read(
    follow: boolean,
    until: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>> {
    const options = { stdout: true, stderr: true, follow, ...(until ? { abortSignal: until } : {}) };
    const answer: unknown = await call(() => docker.getService(serviceName(name)).logs(options as object), {
      signal: until,
    });
    return Buffer.isBuffer(answer) ? [answer] : (answer as AsyncIterable<Uint8Array>);
  }
}
