import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../../src/errors/error.ts";
import { corruptPiece } from "../../../../src/transfer/pieces/errors.ts";
import type { LaneDialer, LaneIo } from "../../../../src/transfer/pieces/lane-dialer.ts";
import { Connection, parseAnswerHead } from "../../../../src/transfer/pieces/reading/lanes/connection.ts";

/** A socket whose reads are split where the test says, which a kernel cannot be told to do. */
class SplitSocket extends EventEmitter {
  readonly #io: LaneIo;
  #chunks: Buffer[] = [];
  #paused = false;
  /** Every read goes into the same buffer, as with `dial`. */
  readonly #buffer = Buffer.alloc(1 << 16);

  constructor(io: LaneIo) {
    super();
    this.#io = io;
    io.onReached();
  }

  deliver(chunks: readonly Buffer[]): void {
    this.#chunks.push(...chunks);
    if (!this.#paused) this.resume();
  }

  write(): boolean {
    return true;
  }

  resume(): void {
    this.#paused = false;
    for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
      const length = chunk.copy(this.#buffer);
      if (!this.#io.onBytes(this.#buffer.subarray(0, length))) {
        this.#paused = true;
        return;
      }
    }
  }

  destroy(): void {
    this.emit("close");
  }
}

async function connected(): Promise<{ connection: Connection; socket: SplitSocket }> {
  let socket: SplitSocket | undefined;
  const dialer: LaneDialer = {
    host: "host",
    connect: async (_lane, io) => {
      socket = new SplitSocket(io);
      return socket as unknown as Socket;
    },
  };
  return { connection: await Connection.open(dialer, "lane"), socket: socket! };
}

/** `bytes`, split at those places modulo their length. */
function split(bytes: Buffer, splits: readonly number[]): Buffer[] {
  const at = [...new Set(splits.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length]
    .map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1]!, end))
    .filter((c) => c.length);
}

const answer = (status: string, body: Buffer) =>
  Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n`), body]);

test("answers arrive whole however the reads are split and however long a chunk is processed", async () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
  const splits = fc.array(fc.nat(5000), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(bodies, splits, fc.boolean(), async (contents, places, later) => {
      const { connection, socket } = await connected();
      for (const content of contents.map((bytes) => Buffer.from(bytes))) {
        const asking = connection.ask("GET");
        const interim = Buffer.from("HTTP/1.1 103 Early Hints\r\n\r\n");
        socket.deliver(split(Buffer.concat([interim, answer("200 OK", content)]), places));
        const head = await asking;
        assert.equal(head.status, 200);
        const got: Buffer[] = [];
        await connection.read(content.length, (chunk) => {
          if (!later) {
            got.push(Buffer.from(chunk));
            return undefined;
          }
          // Copied later: the bytes must not have been overwritten.
          return new Promise((done) => setImmediate(() => done(void got.push(Buffer.from(chunk)))));
        });
        assert.ok(Buffer.concat(got).equals(content));
        assert.ok(connection.isFree);
      }
    }),
    { numRuns: 200 },
  );
});

test("after random bytes for an answer, the connection fails with an error of the protocol", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 10_000 }), async (noise) => {
      const { connection, socket } = await connected();
      const asking = connection.ask("GET");
      socket.deliver([Buffer.from(noise), Buffer.from("\r\n\r\n")]);
      socket.destroy();
      await assert.rejects(asking, (error) => isIchainError(error) && /BAD_ANSWER|STALLED/.test(error.code));
      assert.ok(!connection.isFree);
    }),
  );
});

test("bytes beyond the answer end the connection and leave the answer valid", async () => {
  const { connection, socket } = await connected();
  const asking = connection.ask("GET");
  socket.deliver([Buffer.concat([answer("200 OK", Buffer.from("body")), Buffer.from("and more")])]);
  assert.equal((await asking).status, 200);
  let got = "";
  await connection.read(4, (chunk) => {
    got += chunk.toString();
    return undefined;
  });
  assert.equal(got, "body");
  assert.ok(!connection.isFree);
});

test("a consumer that throws ends the connection with the error it threw", async () => {
  const { connection, socket } = await connected();
  const asking = connection.ask("GET");
  socket.deliver([answer("200 OK", Buffer.from("body"))]);
  await asking;
  const refusal = corruptPiece(3);
  const refuse = () => {
    throw refusal;
  };
  await assert.rejects(connection.read(4, refuse), refusal);
  assert.ok(!connection.isFree);
});

test("heads that break RFC 9112 are refused", () => {
  const bad = [
    "HTTP/1.0 200 OK",
    "HTTP/2 200",
    "HTTP/1.1 20 OK",
    "http/1.1 200 OK",
    "HTTP/1.1 200 OK\r\nA: 1\r\na: 2",
    "HTTP/1.1 200 OK\r\nA : 1",
    "HTTP/1.1 200 OK\r\n folded",
    "HTTP/1.1 200 OK\r\nA: \0",
    "HTTP/1.1 200 OK\nA: 1",
  ];
  for (const text of bad) assert.equal(parseAnswerHead(text), undefined, JSON.stringify(text));
  const good = parseAnswerHead("HTTP/1.1 206 \r\nContent-Length:5\r\nX-A:  b c \t");
  assert.deepEqual([good?.status, ...(good?.headers ?? [])], [206, ["content-length", "5"], ["x-a", "b c"]]);
});
