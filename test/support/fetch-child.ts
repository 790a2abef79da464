// A reader in a process of its own, to be killed: fetches over the direct transport and tells its progress.
import type { FetchRequest } from "../../src/ports/transport.ts";
import { createDirectTransport } from "../../src/transfer/direct/direct-transport.ts";

process.once("message", async (request: FetchRequest) => {
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  await transport.fetch(request, { onProgress: ({ bytes }) => process.send?.(bytes) });
  process.disconnect();
});
