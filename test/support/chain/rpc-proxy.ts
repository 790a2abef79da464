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

/** What a node can do to those who ask it. */
export const lies = {
  /** Says that nothing happened. */
  withholdLogs: ({ method }) => (method === "eth_getLogs" ? { result: [] } : undefined),
  /** Takes a transaction with thanks and keeps it. */
  dropTransactions: ({ method }) =>
    method === "eth_sendRawTransaction" ? { result: `0x${"11".repeat(32)}` } : undefined,
  /** Knows no receipt. */
  withholdReceipts: ({ method }) => (method === "eth_getTransactionReceipt" ? { result: null } : undefined),
  /** Wants a fortune for a unit of gas. */
  hugeFee: ({ method }) => (method === "eth_maxPriorityFeePerGas" ? { result: "0x5af3107a4000" } : undefined),
  /** Says that no call would work. */
  refuseEstimates: ({ method }) =>
    method === "eth_estimateGas"
      ? { error: { code: 3, message: "execution reverted", data: "0x" } }
      : undefined,
  /** Answers nothing, ever. */
  hang: () => new Promise<never>(() => undefined),
  /** Is no node at all. */
  garbage: () => ({ result: { hello: "world" } }),
} satisfies Record<string, Meddle>;

/** A liar that changes what the real node says to `method`. */
export function alter(
  rpcUrl: string,
  method: string,
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the node answers
  change: (result: any, call: RpcCall) => unknown,
): Meddle {
  return async (call) => {
    if (call.method !== method) return undefined;
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...call });
    const headers = { "content-type": "application/json" };
    const answer = (await (await fetch(rpcUrl, { method: "POST", headers, body })).json()) as {
      result?: unknown;
    };
    return { ...answer, result: change(answer.result, call) };
  };
}

/** A real node behind somebody who listens, delays, refuses and lies. */
export async function startProxy(rpcUrl: string, meddle: Meddle) {
  const calls: RpcCall[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { id, method, params } = JSON.parse(body.toString());
    calls.push({ method, params });
    const headers = { "content-type": "application/json" };
    try {
      const answer = await meddle({ method, params });
      if (answer === "hang up") request.socket.destroy();
      else if (answer !== undefined) response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
      else response.end(await (await fetch(rpcUrl, { method: "POST", headers, body })).text());
    } catch {
      request.socket.destroy(); // the real node has ended
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
