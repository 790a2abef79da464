import type { Engine } from "../engines/engine.ts";
import type { Usage } from "./usage.ts";

/**
 * Follows what a container uses by the engine's own samples, one a second: for where no control group
 * can be put around it (systemd manages them, or the engine is not this machine's). What happens between
 * two samples is missed.
 */
export function sampleUsage(engine: Engine, container: string): { stop(): Usage } {
  const halt = new AbortController();
  let [cpuSeconds, peakMemoryBytes] = [0, 0];

  async function follow(): Promise<void> {
    for await (const sample of engine.samples(container, { signal: halt.signal })) {
      cpuSeconds = Math.max(cpuSeconds, sample.cpuSeconds);
      peakMemoryBytes = Math.max(peakMemoryBytes, sample.memoryBytes);
    }
  }
  follow().catch(() => undefined); // the run does not fail for want of a measurement

  return {
    stop() {
      halt.abort();
      return { cpuSeconds, peakMemoryBytes };
    },
  };
}
