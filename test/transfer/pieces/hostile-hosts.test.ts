import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { fetchBlob } from "../../../src/transfer/pieces/fetch-blob.ts";
import type { Tuning } from "../../../src/transfer/pieces/reading/tuning.ts";
import { encodeSize } from "../../../src/transfer/pieces/wire.ts";
import { makeBlob, type TestBlob, temporaryFolder } from "../../support/blob.ts";
import { type Asked, covers, startHostileHost } from "../../support/hostile-host.ts";

const MIB = 1 << 20;
const PIECE = 5;
const brief: Partial<Tuning> = {
  tickMs: 20,
  stallMs: 300,
  slowMs: 300,
  connectMs: 300,
  backOffMs: 5,
  maxBackOffMs: 20,
  giveUpMs: 1_500,
};

interface Misdeed {
  readonly does: string;
  /** Answers one request for data that covers `PIECE`. */
  readonly misbehave: (asked: Asked, blob: TestBlob) => void;
  /** Every time it is done: how the fetch ends. Done once: the blob arrives whole. */
  readonly always: string;
  /** Whether the error names the piece. */
  readonly names?: boolean;
}

const misdeeds: readonly Misdeed[] = [
  {
    does: "corrupts a piece",
    misbehave: ({ response, body, range }, blob) => {
      const bad = Buffer.from(body);
      bad[PIECE * MIB - range.first]! ^= 0x80;
      response.writeHead(206, rangeHead(range, blob, bad.length)).end(bad);
    },
    always: "TRANSFER_CORRUPT_PIECE",
    names: true,
  },
  {
    does: "breaks off within a piece",
    misbehave: ({ response, body, range }, blob) => {
      response.writeHead(206, rangeHead(range, blob, body.length));
      response.write(body.subarray(0, PIECE * MIB - range.first + 1000), () => response.destroy());
    },
    always: "TRANSFER_TRUNCATED_PIECE",
    names: true,
  },
  {
    does: "declares a wrong length",
    misbehave: ({ response, body, range }, blob) => {
      response.writeHead(206, rangeHead(range, blob, body.length - 1)).end(body.subarray(1));
    },
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "sends another range",
    misbehave: ({ response, body, range }, blob) => {
      const other = { first: range.first + 1, last: range.last + 1 };
      response.writeHead(206, rangeHead(other, blob, body.length)).end(body);
    },
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "stalls within a piece",
    misbehave: ({ response, body, range }, blob) => {
      response.writeHead(206, rangeHead(range, blob, body.length)).write(body.subarray(0, 1000));
    },
    always: "TRANSFER_STALLED",
  },
  { does: "leaves a request unanswered", misbehave: () => {}, always: "TRANSFER_STALLED" },
  {
    does: "sends garbage for headers",
    misbehave: ({ request }) => void request.socket.end("\x00\xff BREAK 9000\r\n\r\n"),
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "sends headers without end",
    misbehave: ({ request }) => {
      const more = () => request.socket.write(`X-Pad: ${"a".repeat(4000)}\r\n`) && setImmediate(more);
      request.socket.write("HTTP/1.1 206 Partial Content\r\n");
      request.socket.once("error", () => {}).on("drain", more);
      more();
    },
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "sends interim answers without end",
    misbehave: ({ request }) => {
      const timer = setInterval(() => request.socket.write("HTTP/1.1 102 Processing\r\n\r\n"), 5);
      request.socket.once("close", () => clearInterval(timer)).once("error", () => {});
    },
    always: "TRANSFER_STALLED",
  },
  {
    does: "sends a body without end",
    misbehave: ({ response, range }, blob) => {
      const head = rangeHead(range, blob, 0);
      response.writeHead(206, { "Content-Range": head["Content-Range"] });
      const more = () => !response.destroyed && response.write(Buffer.alloc(MIB)) && setImmediate(more);
      response.on("drain", more);
      more();
    },
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "sends more than it declared",
    misbehave: ({ request, range, body }, blob) => {
      const head = rangeHead(range, blob, body.length);
      const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
      request.socket.write(`HTTP/1.1 206 Partial Content\r\n${lines.join("")}\r\n`);
      request.socket.write(
        Buffer.concat([body.subarray(0, -1), Buffer.of(body.at(-1)! ^ 1), Buffer.alloc(MIB)]),
      );
    },
    always: "TRANSFER_CORRUPT_PIECE",
  },
  {
    does: "redirects",
    misbehave: ({ response }) => void response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end(),
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "compresses",
    misbehave: ({ response, range, body }, blob) => {
      const head = { ...rangeHead(range, blob, body.length), "Content-Encoding": "gzip" };
      response.writeHead(206, head).end(gzipSync(Buffer.alloc(body.length)));
    },
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "switches protocols",
    misbehave: ({ request }) =>
      void request.socket.write("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    always: "TRANSFER_BAD_ANSWER",
  },
  {
    does: "fails",
    misbehave: ({ response }) => void response.writeHead(500).end("a stack trace"),
    always: "TRANSFER_BAD_ANSWER",
  },
];

for (const { does, misbehave, always, names } of misdeeds) {
  test(`a host that ${does} once: the blob arrives whole`, async (t) => {
    const { request, blob } = await scene(t, (asked, blob, before) => {
      if (before > 0) return false;
      misbehave(asked, blob);
      return true;
    });
    await fetchBlob(request, {}, brief);
    assert.ok(blob.content.equals(await readFile(request.path)));
  });

  test(`a host that always ${does}: ${always}, and no whole file`, async (t) => {
    const { request } = await scene(t, (asked, blob) => {
      misbehave(asked, blob);
      return true;
    });
    await assert.rejects(fetchBlob(request, {}, brief), {
      code: always,
      ...(names ? { details: { piece: PIECE, offset: PIECE * MIB } } : {}),
    });
    assert.ok(!existsSync(request.path));
  });
}

type List = (asked: Asked, blob: TestBlob) => void;
const lists: readonly { does: string; code: string; list: List }[] = [
  {
    does: "lists leaves of another blob",
    code: "TRANSFER_WRONG_LEAVES",
    list: ({ response, body }) => {
      const bad = Buffer.from(body);
      bad[8]! ^= 1;
      response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    },
  },
  {
    does: "says a size that its leaves do not fit",
    code: "TRANSFER_BAD_ANSWER",
    list: ({ response, body }) => {
      const bad = Buffer.concat([encodeSize(15 * MIB), body.subarray(8)]);
      response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    },
  },
  {
    does: "says a size in the same number of pieces",
    code: "TRANSFER_CORRUPT_PIECE",
    list: ({ response, body }, blob) => {
      const bad = Buffer.concat([encodeSize(blob.size - 1), body.subarray(8)]);
      response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    },
  },
  {
    does: "offers more than was agreed",
    code: "TRANSFER_TOO_LARGE",
    list: ({ response }) => {
      const huge = encodeSize(2 ** 50);
      response.writeHead(200, { "Content-Length": 8 + 32 * 2 ** 30 }).write(huge);
    },
  },
  {
    does: "offers more than a number can count",
    code: "TRANSFER_TOO_LARGE",
    list: ({ response }) => void response.writeHead(200, { "Content-Length": 8 }).end(Buffer.alloc(8, 0xff)),
  },
  {
    does: "answers nothing to hold on to",
    code: "TRANSFER_BAD_ANSWER",
    list: ({ response }) => void response.writeHead(200, { "Content-Length": 0 }).end(),
  },
  {
    does: "does not know the token",
    code: "TRANSFER_FORBIDDEN",
    list: ({ response }) => void response.writeHead(403).end(),
  },
  {
    does: "does not host the blob",
    code: "TRANSFER_NOT_HOSTED",
    list: ({ response }) => void response.writeHead(404).end(),
  },
  { does: "says nothing", code: "TRANSFER_STALLED", list: () => {} },
];

for (const { does, code, list } of lists) {
  test(`a host that ${does} ends the fetch with ${code}, and no whole file`, async (t) => {
    const folder = await temporaryFolder(t);
    const blob = await makeBlob(folder, 8 * MIB);
    const host = await startHostileHost(t, blob, (asked) => {
      if (asked.kind !== "pieces") return false;
      list(asked, blob);
      return true;
    });
    const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
    await assert.rejects(fetchBlob(request, {}, brief), { code });
    assert.ok(!existsSync(request.path));
  });
}

test("a size that was lied about does not stick: an honest host is believed afterwards", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 8 * MIB);
  const host = await startHostileHost(t, blob, ({ kind, response, body, before }) => {
    if (kind !== "pieces" || before > 0) return false;
    const bad = Buffer.concat([encodeSize(blob.size - 1), body.subarray(8)]);
    response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    return true;
  });
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
  await assert.rejects(fetchBlob(request, {}, brief), { code: "TRANSFER_CORRUPT_PIECE" });
  await fetchBlob(request, {}, brief);
  assert.ok(blob.content.equals(await readFile(request.path)));
});

test("a small blob that came along corrupted is not believed", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, MIB + 5);
  blob.content[MIB + 2]! ^= 1;
  const host = await startHostileHost(t, blob, () => false);
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
  await assert.rejects(fetchBlob(request, {}, brief), {
    code: "TRANSFER_CORRUPT_PIECE",
    details: { piece: 1, offset: MIB },
  });
  assert.ok(!existsSync(request.path) && !existsSync(`${request.path}.part`));
});

test("a host that is not there is unreachable within the bound", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 100);
  const { dialer, endpoint } = await startHostileHost(t, blob, () => false);
  const request = { endpoint, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
  const nobody = { ...dialer, port: 1 };
  await assert.rejects(fetchBlob({ ...request, dialer: nobody }, {}, brief), {
    code: "TRANSFER_UNREACHABLE",
  });
});

function rangeHead({ first, last }: { first: number; last: number }, { size }: TestBlob, length: number) {
  return { "Content-Range": `bytes ${first}-${last}/${size}`, "Content-Length": length };
}

async function scene(
  t: Parameters<typeof temporaryFolder>[0],
  misbehave: (asked: Asked, blob: TestBlob, before: number) => boolean,
) {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 12 * MIB);
  let before = 0;
  const host = await startHostileHost(t, blob, (asked) => {
    return asked.kind === "data" && covers(asked.range, PIECE) && misbehave(asked, blob, before++);
  });
  return { blob, request: { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB } };
}
