import { fork } from "node:child_process";
import { once } from "node:events";
import { childEnvironment } from "../../config.ts";

export interface DelayOrder {
  /** `host:port` is passed on to `host:to`. */
  readonly forwards: readonly { readonly host: string; readonly port: number; readonly to: number }[];
  /** Milliseconds in each direction. */
  readonly delayMs: number;
}

export interface Delay {
  /** Applies to data that arrives from now on. */
  set(delayMs: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Delays traffic to the relays of a private network, in user space, since not every kernel has netem. Starts without a
 * delay, so that the network forms quickly.
 */
export async function startDelay(
  forwards: DelayOrder["forwards"],
  signal: AbortSignal | undefined,
): Promise<Delay> {
  const file = import.meta.url.replace(/delay(\.[jt]s)$/, "delay-child$1");
  const child = fork(new URL(file), { env: childEnvironment(), stdio: "inherit" });
  const order = async (next: DelayOrder) => {
    const answered = once(child, "message", { signal });
    child.send(next);
    await answered;
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill();
    await exited;
  };
  try {
    await order({ forwards, delayMs: 0 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { set: (delayMs) => order({ forwards: [], delayMs }), stop };
}
