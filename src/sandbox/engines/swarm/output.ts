import type { AbortOptions } from "../../../async/abort.ts";
import type { DockerClient } from "../client.ts";
import { payload } from "../frames.ts";
import { serviceName } from "./spec.ts";

/**
 * What a service's task prints, as it comes, until it has `ended`. Swarm's own stream goes on for ever, so
 * it is left when the task has ended, and what it had not brought by then is read from the kept log.
 */
export async function* serviceOutput(
  { docker, call }: DockerClient,
  name: string,
  ended: (options: AbortOptions) => Promise<unknown>,
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array> {
  const over = new AbortController();
  const halt = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  ended({ signal: halt }).then(
    () => over.abort(),
    () => over.abort(), // whoever supervises the task hears of it too
  );
  let seen = 0;
  try {
    for await (const chunk of payload(await read(true, halt))) {
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

  /** A stream when followed; else all at once, which the rotation of logs keeps small. */
  async function read(
    follow: boolean,
    until: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>> {
    const options = { stdout: true, stderr: true, follow, ...(until ? { abortSignal: until } : {}) };
    const said: unknown = await call(() => docker.getService(serviceName(name)).logs(options as object), {
      signal: until,
    });
    return Buffer.isBuffer(said) ? [said] : (said as AsyncIterable<Uint8Array>);
  }
}
