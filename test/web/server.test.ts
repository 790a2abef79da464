import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { networkInterfaces } from "node:os";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { IchainError } from "../../src/errors/error.ts";
import { route, type WebEndpoint } from "../../src/web/endpoint.ts";
import { createEventHub } from "../../src/web/events.ts";
import { readPage } from "../../src/web/files.ts";
import { serveWeb } from "../../src/web/server.ts";
import { createSession } from "../../src/web/session.ts";

const KIB = 1024;

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly host?: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const at = <Input extends z.ZodType>(method: WebEndpoint["method"], path: string, input: Input) => ({
  ...{ method, path, input, output: z.unknown() },
});

/** A served page whose one act counts how often it was done. */
async function served(t: TestContext) {
  const [session, hub, page] = [createSession(), createEventHub(), readPage()];
  let done = 0;
  const web = await serveWeb({
    port: 0,
    session,
    hub,
    page,
    routes: [
      route(at("GET", "/api/count", z.strictObject({})), async () => ({ done })),
      route(at("POST", "/api/act", z.strictObject({ by: z.number().max(10) })), async ({ by }) => {
        done += by;
        return { done };
      }),
      route(at("POST", "/api/refuse", z.strictObject({})), async () => {
        throw new IchainError("JOB_UNKNOWN", "No such job.");
      }),
    ],
  });
  t.after(() => web[Symbol.asyncDispose]());
  const own = `127.0.0.1:${web.port}`;

  async function open(path: string, { method = "GET", headers = {}, body, host = own }: Asking = {}) {
    const asking = request({ host: "127.0.0.1", port: web.port, path, method, agent: false });
    asking.setHeader("host", host);
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) asking.setHeader(name, value);
    if (body !== undefined) asking.setHeader("content-type", "application/json");
    asking.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    return response;
  }
  async function ask(path: string, asking: Asking = {}): Promise<Answer> {
    const response = await open(path, asking);
    const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
    return { status: response.statusCode, headers: response.headers, body: text };
  }
  const sameOrigin = { origin: `http://${own}`, "sec-fetch-site": "same-origin" };
  const enter = (token: string) =>
    ask("/api/session", { method: "POST", headers: sameOrigin, body: { token } });
  const entered = async () => {
    const { headers, body } = await enter(session.token);
    const [cookie = ""] = headers["set-cookie"] ?? [];
    const { key } = JSON.parse(body) as { key: string };
    return { cookie: cookie.split(";")[0]!, "x-page-key": key };
  };
  return { ...web, own, session, hub, page, ask, open, enter, entered, sameOrigin, count: () => done };
}

test("the page comes with a policy that lets no stranger's script run, and frames it nowhere", async (t) => {
  const web = await served(t);
  const { status, headers, body } = await web.ask("/");
  assert.equal(status, 200);
  assert.match(body, /<div id="page">/);
  const policy = String(headers["content-security-policy"]);
  for (const rule of [
    "default-src 'none'",
    "frame-ancestors 'none'",
    "form-action 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ])
    assert.ok(policy.includes(rule), rule);
  assert.doesNotMatch(policy, /unsafe|https?:/);
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["x-content-type-options"], "nosniff");
  for (const dest of ["iframe", "frame", "embed", "object"]) {
    const framed = await web.ask("/", { headers: { "sec-fetch-dest": dest } });
    assert.equal(framed.status, 403, dest);
    assert.doesNotMatch(framed.body, /id="page"/);
  }
});

test("a foreign Host is refused, for files and for data", async (t) => {
  const web = await served(t);
  const own = await web.entered();
  for (const host of ["evil.example", `evil.example:${web.port}`, "127.0.0.1", `127.0.0.2:${web.port}`]) {
    assert.equal((await web.ask("/", { host })).status, 421, host);
    assert.equal((await web.ask("/api/count", { host, headers: own })).status, 421, host);
  }
  assert.equal((await web.ask("/", { host: `localhost:${web.port}` })).status, 200);
});

test("a foreign Origin is refused, with the cookie too", async (t) => {
  const web = await served(t);
  const own = await web.entered();
  for (const origin of ["http://evil.example", "null", `https://${web.own}`, "http://127.0.0.1:1"]) {
    assert.equal((await web.ask("/api/count", { headers: { ...own, origin } })).status, 403, origin);
    const act = { method: "POST", body: { by: 1 }, headers: { ...web.sameOrigin, ...own, origin } };
    assert.equal((await web.ask("/api/act", act)).status, 403, origin);
  }
  assert.equal(web.count(), 0);
});

test("data needs the cookie, and the key that other ports do not get", async (t) => {
  const web = await served(t);
  const own = await web.entered();
  const { cookie, "x-page-key": key } = own;
  const wrong = [
    {},
    { cookie },
    { "x-page-key": key },
    { cookie, "x-page-key": `${key}x` },
    { "x-page-key": key, cookie: `${cookie}x` },
    { "x-page-key": key, cookie: `${cookie}; ${cookie}` },
    { "x-page-key": key, cookie: cookie.replace(/-\d+=/, "-1=") },
    { "x-page-key": web.session.token, cookie },
  ];
  for (const headers of wrong) {
    const shown = JSON.stringify(headers);
    assert.equal((await web.ask("/api/count", { headers })).status, 401, shown);
    assert.equal((await web.ask("/nothing", { headers })).status, 401, shown);
    assert.equal((await web.ask("/api/events", { headers })).status, 401, shown);
    const act = { method: "POST", body: { by: 1 }, headers: { ...web.sameOrigin, ...headers } };
    assert.equal((await web.ask("/api/act", act)).status, 401, shown);
  }
  // Only the stream of events takes the key from the address.
  assert.equal((await web.ask(`/api/count?key=${key}`, { headers: { cookie } })).status, 401);
  const { status, body } = await web.ask("/api/count", { headers: { ...own, cookie: `a=b; ${cookie}` } });
  assert.deepEqual([status, body], [200, '{"done":0}']);
});

test("the link's token is good once, for a cookie that scripts and other sites do not get", async (t) => {
  const web = await served(t);
  assert.equal((await web.enter("x".repeat(43))).status, 401);
  const { status, headers } = await web.enter(web.session.token);
  assert.equal(status, 200);
  const [cookie = ""] = headers["set-cookie"] ?? [];
  assert.match(cookie, /; HttpOnly; SameSite=Strict; Path=\/$/);
  assert.ok(cookie.startsWith(`ichain-web-${web.port}=`));
  assert.ok(!cookie.includes(web.session.token));
  const again = await web.enter(web.session.token);
  assert.deepEqual([again.status, again.headers["set-cookie"]], [401, undefined]);
});

test("a POST without the fetch metadata of the page itself changes nothing", async (t) => {
  const web = await served(t);
  const own = await web.entered();
  for (const site of [undefined, "none", "same-site", "cross-site"]) {
    const headers = { ...own, origin: `http://${web.own}`, "sec-fetch-site": site };
    const { status } = await web.ask("/api/act", { method: "POST", headers, body: { by: 1 } });
    assert.equal(status, 403, site);
  }
  const form = { ...web.sameOrigin, ...own, "content-type": "application/x-www-form-urlencoded" };
  assert.equal((await web.ask("/api/act", { method: "POST", headers: form })).status, 415);
  assert.equal((await web.ask("/api/act", { method: "PUT", headers: own })).status, 405);
  assert.equal(web.count(), 0);
  const headers = { ...web.sameOrigin, ...own };
  assert.equal((await web.ask("/api/act", { method: "POST", headers, body: { by: 2 } })).body, '{"done":2}');
});

test("what the page asks is bounded, and errors have their codes", async (t) => {
  const web = await served(t);
  const own = await web.entered();
  const headers = { ...web.sameOrigin, ...own };
  const act = (body: unknown) => web.ask("/api/act", { method: "POST", headers, body });
  for (const body of [{ by: 11 }, { by: "1" }, { by: 1, more: 1 }, {}]) {
    const answer = await act(body);
    assert.deepEqual([answer.status, JSON.parse(answer.body).error.code], [400, "USAGE"]);
  }
  assert.equal((await act({ by: "x".repeat(70 * KIB) })).status, 413);
  const refused = await web.ask("/api/refuse", { method: "POST", headers, body: {} });
  assert.equal(JSON.parse(refused.body).error.code, "JOB_UNKNOWN");
  assert.equal((await web.ask("/nothing", { headers: own })).status, 404);
  assert.equal(
    (await web.ask("/api/count", { headers: { ...own, "sec-fetch-site": "cross-site" } })).status,
    403,
  );
});

test("a port that is taken is said so", async (t) => {
  const { port, session, hub, page } = await served(t);
  await assert.rejects(serveWeb({ port, session, hub, page, routes: [] }), { code: "WEB_FAILED" });
});

test("nothing listens but on loopback", async (t) => {
  const web = await served(t);
  const [other] = Object.values(networkInterfaces())
    .flat()
    .filter((one) => one?.family === "IPv4" && !one.internal);
  if (other === undefined) return t.skip("no other address");
  const asking = request({ host: other.address, port: web.port });
  asking.end();
  const [error] = (await once(asking, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});

test("who comes back gets what happened meanwhile, or is told to read everything again", async (t) => {
  const web = await served(t);
  const own = await web.entered();
  const follow = async (last?: string) => {
    const { cookie, "x-page-key": key } = own;
    const headers = { cookie, "last-event-id": last };
    const response = await web.open(`/api/events?key=${key}`, { headers });
    const texts = response.setEncoding("utf8")[Symbol.asyncIterator]();
    let text = "";
    return {
      async until(pattern: RegExp) {
        while (!pattern.test(text)) text += (await texts.next()).value;
        return text;
      },
      end: () => response.destroy(),
    };
  };
  const first = await follow();
  await first.until(/event: reset/);
  web.hub.emit("job", '{"n":1}');
  const text = await first.until(/"n":1\}\n\n/);
  const id = /id: (\S+)\nevent: job/.exec(text)?.[1];
  first.end();
  web.hub.emit("job", '{"n":2}');
  web.hub.emit("job", '{"n":3}');
  const second = await follow(id);
  assert.doesNotMatch(await second.until(/"n":3\}\n\n/), /reset|"n":1/);
  second.end();
  for (let n = 0; n < 1001; n++) web.hub.emit("job", "{}");
  for (const last of [id, "00000000-1", "nonsense"]) {
    const third = await follow(last);
    await third.until(/event: reset/);
    third.end();
  }
});

test("the page and its libraries are small enough for a slow line", () => {
  const { files } = readPage();
  const sizes = [...files.values()].map(({ body }) => gzipSync(body).length);
  const total = sizes.reduce((sum, one) => sum + one, 0);
  assert.ok(total <= 120_000, `${total} bytes gzipped`);
  assert.ok(files.size >= 8, "with the libraries");
});

test("the page's own code makes no markup of text, and asks nobody else", () => {
  for (const [path, { body, type }] of readPage().files) {
    if (path.startsWith("/vendor/") || !/javascript|html|css/.test(type)) continue;
    const text = body.toString();
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function/,
      path,
    );
    assert.doesNotMatch(text.replaceAll("http://www.w3.org", ""), /https?:\/\//, path);
  }
});
