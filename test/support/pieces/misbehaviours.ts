import { gzipSync } from "node:zlib";
import type { ErrorCode } from "../../../src/errors/catalogue.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import type { TestBlob } from "../parcel/blob.ts";
import type { HostedRequest } from "./hostile-host.ts";

const MIB = 1 << 20;
/** The piece that hosts misbehave about; in the middle of a range that a lane requests. */
export const BAD_PIECE = 22;

export interface Misbehaviour {
  readonly does: string;
  /** Answers one request for data that covers `BAD_PIECE`. */
  readonly misbehave: (asked: HostedRequest, blob: TestBlob) => void;
  /** The error that ends the fetch when every such request is answered so; after a single one the blob arrives. */
  readonly always: ErrorCode;
}

/** For `assert.rejects`: an error of that code that names the bad piece in details and message. */
export const namesBadPiece = (code: ErrorCode) => (error: unknown) =>
  isIchainError(error, code) &&
  error.details.piece === BAD_PIECE &&
  error.details.offset === BAD_PIECE * PIECE_BYTES &&
  new RegExp(`piece ${BAD_PIECE}\\b`, "i").test(error.message);

export const misbehaviours: readonly Misbehaviour[] = [
  {
    does: "corrupts a piece",
    misbehave: ({ response, body, range }, blob) => {
      const bad = Buffer.from(body);
      bad[BAD_PIECE * PIECE_BYTES - range.first]! ^= 0x80;
      response.writeHead(206, rangeHead(range, blob, bad.length)).end(bad);
    },
    always: "TRANSFER_CORRUPT_PIECE",
  },
  {
    does: "breaks off within a piece",
    misbehave: ({ response, body, range }, blob) => {
      response.writeHead(206, rangeHead(range, blob, body.length));
      response.write(body.subarray(0, BAD_PIECE * PIECE_BYTES - range.first + 1000), () =>
        response.destroy(),
      );
    },
    always: "TRANSFER_TRUNCATED_PIECE",
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
  {
    // Late enough for the bytes of every try to look like progress.
    does: "stalls late in a piece",
    misbehave: ({ response, body, range }, blob) => {
      const late = BAD_PIECE * PIECE_BYTES - range.first + 200 * 1024;
      response.writeHead(206, rangeHead(range, blob, body.length)).write(body.subarray(0, late));
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
      const bad = Buffer.from(body);
      bad[BAD_PIECE * PIECE_BYTES - range.first]! ^= 1;
      request.socket.write(Buffer.concat([bad, Buffer.alloc(MIB)]));
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

function rangeHead({ first, last }: { first: number; last: number }, { size }: TestBlob, length: number) {
  return { "Content-Range": `bytes ${first}-${last}/${size}`, "Content-Length": length };
}
