import { type Abortable, linkSignals } from "../../async/abort.ts";
import type { Hosting, HostRequest } from "../../ports/transport.ts";
import type { RoleContext } from "../context.ts";

/** A hosting of this job, see `hostOnce`. */
export interface HostedOnce extends AsyncDisposable {
  start(): Promise<Hosting>;
}

/**
 * A hosting that starts with the first call of `start` and stops with its scope (`await using`), also while it starts.
 * After a failed start the next call tries again. `what` names the content to people.
 */
export function hostOnce(
  { transport, reporter }: Pick<RoleContext, "transport" | "reporter">,
  what: string,
  request: () => HostRequest | Promise<HostRequest>,
  options: Abortable,
): HostedOnce {
  const stop = new AbortController();
  const linked = linkSignals([options.signal, stop.signal]);
  const { signal } = linked;
  let hosting: Promise<Hosting> | undefined;
  const begin = async (): Promise<Hosting> => {
    const id = `host-${what}`;
    reporter.emit({ kind: "start", id, text: `Publishing the address of the ${what}` });
    try {
      const live = await transport.host(await request(), { signal });
      reporter.emit({ kind: "end", id, text: `The address of the ${what} is published` });
      return live;
    } catch (error) {
      reporter.emit({ kind: "fail", id, text: `The address of the ${what} could not be published` });
      hosting = undefined;
      throw error;
    }
  };
  return {
    start: (): Promise<Hosting> => {
      hosting ??= begin();
      return hosting;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      stop.abort();
      linked[Symbol.dispose]();
      const live = await hosting?.catch(() => undefined);
      await live?.stop();
    },
  };
}
