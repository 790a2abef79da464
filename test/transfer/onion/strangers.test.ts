import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { SocksProxyAgent } from "socks-proxy-agent";
import { isIchainError } from "../../../src/errors/error.ts";
import { OnionReader, readerLines } from "../../../src/transfer/onion/reading/reader.ts";
import { ManagedTor } from "../../../src/transfer/onion/tor/tor.ts";
import { TorFixture } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { needs } from "../../support/require.ts";

const fixture = new TorFixture();
after(() => fixture.close());

const BAD_REQUESTS = 1000;
const AT_ONCE = 16;

test("a stranger to an onion learns nothing and cannot disturb its readers", needs("tor"), async (t) => {
  await fixture.up();
  const [host, honest, stranger] = await Promise.all([
    fixture.party("host"),
    fixture.party("reader", { spareHosts: 0 }),
    fixture.party("stranger", { spareHosts: 0 }),
  ]);
  const blob = await makeBlob(fixture.dir, 6_000_000);
  const identity = await host.transport.newIdentity();
  const { endpoint } = await host.transport.host({ identity, blobs: [blob], readers: [honest.reader] });
  const fetchWhole = async (name: string) => {
    const path = join(fixture.dir, name);
    await honest.transport.fetch({ endpoint, root: blob.root, path, maxBytes: 1e7 });
    assert.deepEqual(await readFile(path), blob.content);
  };

  await t.test("without the client key the onion does not resolve, even with the token", async () => {
    const ask = { endpoint, root: blob.root, fingerprint: stranger.reader.fingerprint };
    await assert.rejects(stranger.transport.fetchCapsule(ask), (e) =>
      isIchainError(e, "TRANSFER_UNREACHABLE"),
    );
  });

  // A tor with the reader's key, for requests that ichain does not send.
  const { networkTorrc } = await fixture.up();
  const torrc = [...networkTorrc.split("\n"), ...readerLines];
  const tor = await ManagedTor.start({
    binary: "tor",
    dataDir: join(fixture.dir, "raw"),
    role: "raw",
    torrc,
  });
  t.after(() => tor.stop());
  const reader = new OnionReader(tor, honest.key.privateKey);
  const host80 = { host: `${endpoint.address}.onion`, port: 80 };
  const socks = await reader.open(endpoint.address);
  const agents = Array.from(
    { length: AT_ONCE },
    (_, i) => new SocksProxyAgent(`socks5h://bad-${i}:x@${socks.host}:${socks.port}`, { keepAlive: true }),
  );
  t.after(() => {
    for (const agent of agents) agent.destroy();
  });
  const bearer = `Bearer ${endpoint.token.slice(2)}`;
  const data = `/v1/${blob.root.slice(2)}/data`;

  await t.test("with the client key and without the token every request gets an empty 403", async () => {
    const otherToken = `Bearer ${"0".repeat(32)}`;
    for (const headers of [{}, { authorization: otherToken }, { authorization: bearer.slice(0, -1) }]) {
      for (const path of ["/", data]) {
        const { status, body } = await send(agents[0]!, { ...host80, path, headers });
        assert.equal(status, 403);
        assert.equal(body.length, 0);
      }
    }
  });

  await t.test("a thousand bad requests do not stop an honest reader", async () => {
    const bad: readonly Shape[] = [
      { path: data },
      { path: data, headers: { authorization: bearer, range: `bytes=0-${2 ** 50}` } },
      { path: `/v1/${"f".repeat(64)}/data`, headers: { authorization: bearer } },
      { path: "/../../../../etc/passwd", headers: { authorization: bearer } },
      { path: "/", method: "DELETE", headers: { authorization: bearer } },
      { path: data, method: "POST", headers: { "content-length": "9999999" } },
      { path: "/", headers: { "x-long": "y".repeat(6000) } },
    ];
    let sent = 0;
    const flood = agents.map(async (agent) => {
      while (sent < BAD_REQUESTS) {
        const shape = bad[sent++ % bad.length]!;
        const { status, body } = await send(agent, { ...host80, ...shape }).catch(() => ({
          status: 0,
          body: "",
        }));
        assert.ok(status === 0 || status >= 400, `a bad request got ${status}`);
        assert.equal(body.length, 0);
      }
    });
    await Promise.all([...flood, fetchWhole("during")]);
    await fetchWhole("after");
  });
});

interface Shape {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(agent: Agent, options: Shape & { host: string; port: number }) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const request = httpRequest({ ...options, agent }, (response: IncomingMessage) => {
    let body = "";
    response.setEncoding("latin1").on("data", (text: string) => {
      body += text;
    });
    response.on("error", reject).on("end", () => resolve({ status: response.statusCode ?? 0, body }));
  });
  request.on("error", reject).end();
  return promise;
}
