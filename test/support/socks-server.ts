import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A SOCKS5 proxy without a login that connects every name to this machine; `asked` has what it was asked for. */
export async function startSocksServer(t: TestContext, to: number) {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(async (client) => {
    sockets.add(client);
    client.on("error", () => client.destroy());
    await once(client, "data");
    client.write(Buffer.of(5, 0));
    const [request] = (await once(client, "data")) as [Buffer];
    const name = request.subarray(5, 5 + request[4]!).toString();
    asked.push(`${name}:${request.readUInt16BE(5 + request[4]!)}`);
    const target = connect(to, "127.0.0.1", () => {
      // In two pieces: a reader must not rely on one.
      client.write(Buffer.of(5, 0, 0, 1, 127));
      client.write(Buffer.of(0, 0, 1, 0, 80));
      client.pipe(target).pipe(client);
    });
    target.on("error", () => client.destroy());
    sockets.add(target);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { asked, proxy: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
}
