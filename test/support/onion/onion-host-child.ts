// A host in a process of its own: tests kill it, and the benchmark measures against it.
import type { Blob, HostIdentity, Reader } from "../../../src/ports/transport.ts";
import { createOnionTransport } from "../../../src/transfer/onion/transport.ts";
import type { PieceLimits } from "../../../src/transfer/pieces/ports.ts";
import { clientKey } from "./tor.ts";

export interface HostOrder {
  readonly dataDir: string;
  readonly networkTorrc: string;
  readonly blob: Blob;
  readonly readers: readonly Reader[];
  /** A new one when absent; the answer is the identity that is hosted. */
  readonly identity?: HostIdentity;
  readonly limits?: Partial<PieceLimits>;
}

process.once("message", async ({ dataDir, networkTorrc, blob, readers, limits, ...order }: HostOrder) => {
  const transport = createOnionTransport({
    dataDir,
    networkTorrc,
    limits,
    clientKey: clientKey(),
    spareHosts: 0,
  });
  process.once("disconnect", () => transport.stop().finally(() => process.exit(0)));
  await transport.start();
  const identity = order.identity ?? (await transport.newIdentity());
  await transport.host({ identity, blobs: [blob], readers });
  process.send?.(identity);
});
