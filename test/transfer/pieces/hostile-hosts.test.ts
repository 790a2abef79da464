import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import { directDialer } from "../../../src/transfer/direct/direct-dialer.ts";
import { fetchPieces } from "../../../src/transfer/pieces/fetch-pieces.ts";
import type { Tuning } from "../../../src/transfer/pieces/reading/tuning.ts";
import { encodeSize } from "../../../src/transfer/pieces/wire.ts";
import { makeBlob, type TestBlob, temporaryFolder } from "../../support/parcel/blob.ts";
import { covers, type HostedRequest, startHostileHost } from "../../support/pieces/hostile-host.ts";
import { BAD_PIECE, misbehaviours, namesBadPiece } from "../../support/pieces/misbehaviours.ts";

const MIB = 1 << 20;
const brief: Partial<Tuning> = {
  tickMs: 20,
  stallMs: 300,
  slowMs: 300,
  connectMs: 300,
  backOffMs: 5,
  maxBackOffMs: 20,
  giveUpMs: 1_500,
};

for (const { does, misbehave, always } of misbehaviours) {
  test(`a blob arrives whole from a host that once ${does}`, async (t) => {
    const { request, blob } = await scene(t, (asked, blob, before) => {
      if (before > 0) return false;
      misbehave(asked, blob);
      return true;
    });
    await fetchPieces(request, {}, brief);
    assert.ok(blob.content.equals(await readFile(request.path)));
  });

  test(`a host that always ${does} ends the fetch with ${always} and leaves no whole file`, async (t) => {
    const { request } = await scene(t, (asked, blob) => {
      misbehave(asked, blob);
      return true;
    });
    await assert.rejects(fetchPieces(request, {}, brief), namesBadPiece(always));
    assert.ok(!existsSync(request.path));
  });
}

test("a reader that says how long waits no longer for a host that falls silent", async (t) => {
  const { request } = await scene(t, () => true);
  await assert.rejects(fetchPieces({ ...request, quietMs: 300 }), namesBadPiece("TRANSFER_STALLED"));
});

type List = (asked: HostedRequest, blob: TestBlob) => void;
const lists: readonly { does: string; code: string; list: List }[] = [
  {
    does: "lists the leaves of another blob",
    code: "TRANSFER_WRONG_LEAVES",
    list: ({ response, body }) => {
      const bad = Buffer.from(body);
      bad[8]! ^= 1;
      response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    },
  },
  {
    does: "declares a size with another number of leaves",
    code: "TRANSFER_BAD_ANSWER",
    list: ({ response, body }) => {
      const bad = Buffer.concat([encodeSize(15 * MIB), body.subarray(8)]);
      response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    },
  },
  {
    does: "declares a wrong size with the same number of pieces",
    code: "TRANSFER_CORRUPT_PIECE",
    list: ({ response, body }, blob) => {
      const bad = Buffer.concat([encodeSize(blob.size - 1), body.subarray(8)]);
      response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    },
  },
  {
    does: "offers more than maxBytes",
    code: "TRANSFER_TOO_LARGE",
    list: ({ response }) => {
      const huge = encodeSize(2 ** 50);
      response.writeHead(200, { "Content-Length": 8 + 32 * 2 ** 30 }).write(huge);
    },
  },
  {
    does: "offers more than Number.MAX_SAFE_INTEGER bytes",
    code: "TRANSFER_TOO_LARGE",
    list: ({ response }) => void response.writeHead(200, { "Content-Length": 8 }).end(Buffer.alloc(8, 0xff)),
  },
  {
    does: "answers with an empty body",
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
  { does: "does not answer", code: "TRANSFER_STALLED", list: () => {} },
  {
    does: "sends its leaves a byte at a time",
    code: "TRANSFER_STALLED",
    list: ({ response, body }) => {
      response.writeHead(200, { "Content-Length": body.length });
      let sent = 0;
      const timer = setInterval(() => response.write(body.subarray(sent, ++sent)), 50);
      response.once("close", () => clearInterval(timer));
    },
  },
];

for (const { does, code, list } of lists) {
  test(`a host that ${does} ends the fetch with ${code} and leaves no whole file`, async (t) => {
    const folder = await temporaryFolder(t);
    const blob = await makeBlob(folder, 8 * MIB);
    const host = await startHostileHost(t, blob, (asked) => {
      if (asked.kind !== "pieces") return false;
      list(asked, blob);
      return true;
    });
    const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
    await assert.rejects(fetchPieces(request, {}, brief), { code });
    assert.ok(!existsSync(request.path));
  });
}

test("a false size does not persist: the blob is fetched from an honest host afterwards", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 8 * MIB);
  const host = await startHostileHost(t, blob, ({ kind, response, body, before }) => {
    if (kind !== "pieces" || before > 0) return false;
    const bad = Buffer.concat([encodeSize(blob.size - 1), body.subarray(8)]);
    response.writeHead(200, { "Content-Length": bad.length }).end(bad);
    return true;
  });
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
  await assert.rejects(fetchPieces(request, {}, brief), { code: "TRANSFER_CORRUPT_PIECE" });
  await fetchPieces(request, {}, brief);
  assert.ok(blob.content.equals(await readFile(request.path)));
});

test("a small blob that was sent corrupted with its leaf list is refused", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, MIB + 5);
  blob.content[MIB + 2]! ^= 1;
  const host = await startHostileHost(t, blob, () => false);
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
  await assert.rejects(fetchPieces(request, {}, brief), {
    code: "TRANSFER_CORRUPT_PIECE",
    details: { piece: 4, offset: 4 * PIECE_BYTES },
  });
  assert.ok(!existsSync(request.path) && !existsSync(`${request.path}.part`));
});

test("a fetch from a closed port fails with TRANSFER_UNREACHABLE within the time limit", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 100);
  const { endpoint } = await startHostileHost(t, blob, () => false);
  const request = { endpoint, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB };
  const closedPort = directDialer("127.0.0.1:1", { check: () => undefined });
  await assert.rejects(fetchPieces({ ...request, dialer: closedPort }, {}, brief), {
    code: "TRANSFER_UNREACHABLE",
  });
});

async function scene(
  t: Parameters<typeof temporaryFolder>[0],
  misbehave: (asked: HostedRequest, blob: TestBlob, before: number) => boolean,
) {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 12 * MIB);
  let before = 0;
  const host = await startHostileHost(t, blob, (asked) => {
    return asked.kind === "data" && covers(asked.range, BAD_PIECE) && misbehave(asked, blob, before++);
  });
  return { blob, request: { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 16 * MIB } };
}
