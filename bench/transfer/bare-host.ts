// Child of bench/transfer.ts: serves a file over HTTP with ranges, without the piece protocol.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const path = process.argv[2]!;
const server = createServer((request, response) => {
  const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "")!.map(Number);
  response.writeHead(206, { "Content-Length": last! - first! + 1 });
  createReadStream(path, { start: first!, end: last!, highWaterMark: 256 * 1024 }).pipe(response);
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0));
