// A reader in a process of its own, to be killed: fetches one blob and reports its progress in bytes.
import type { FetchRequest } from "../../../src/ports/transport.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { createOnionTransport, type OnionTransportOptions } from "../../../src/transfer/onion/transport.ts";

export interface FetchOrder {
  readonly request: FetchRequest;
  /** Over the direct transport when absent. */
  readonly onion?: OnionTransportOptions;
}

process.once("message", async ({ request, onion }: FetchOrder) => {
  const transport = onion ? createOnionTransport(onion) : createDirectTransport({ listenHost: "127.0.0.1" });
  await transport.start();
  await transport.fetch(request, { onProgress: ({ bytes }) => process.send?.(bytes) });
  await transport.stop();
  process.disconnect();
});
