import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcCall {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the call carries
  readonly params: readonly any[];
}

/** What the proxy makes of a call: lets it through when undefined, else answers itself. */
export type Meddle = (
  call: RpcCall,
) => Promise<object | "hang up" | undefined> | object | "hang up" | undefined;

/** A real node behind somebody who listens, delays, refuses and lies. */
export async function startProxy(rpcUrl: string, meddle: Meddle) {
  const calls: RpcCall[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { id, method, params } = JSON.parse(body.toString());
    calls.push({ method, params });
    const answer = await meddle({ method, params });
    if (answer === "hang up") {
      request.socket.destroy();
    } else if (answer === undefined) {
      const real = await fetch(rpcUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      response.end(await real.text());
    } else {
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
