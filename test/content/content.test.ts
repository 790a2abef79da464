import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { CarWriter } from "@ipld/car";
import { encode, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { openBlocks } from "../../src/content/blocks.ts";
import { openContent } from "../../src/content/content.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { ContentProfile } from "../../src/ports/content.ts";
import { temporaryFolder } from "../support/binary.ts";

const signal = AbortSignal.timeout(60_000);
const MiB = 1_048_576;
const most = 64 * MiB;
const failing = (code: string) => (error: unknown) => isIchainError(error) && error.code === code;

/** The bytes that Kubo's tests of profiles use: ChaCha20 under the hash of a seed. */
function seeded(size: number, seed: string): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("chacha20", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** A home with `data` in it, and another without. */
async function twoHomes(folder: ReturnType<typeof temporaryFolder>, data: Buffer) {
  const [own, other] = await Promise.all(["own", "other"].map((name) => openContent(folder.join(name))));
  const path = folder.join("data");
  writeFileSync(path, data);
  const profile: ContentProfile = "kubo-256k";
  const made = await own!.cidOf(path, { profile, keep: true, signal });
  return { own: own!, other: other!, path, made };
}

const blockOf = async (data: Uint8Array) => CID.createV1(0x70, await sha256.digest(data));

describe("CIDs", () => {
  // Of Kubo's test/cli/cid_profiles_test.go and add_test.go, which js-ipfs-unixfs compares with as well.
  const vectors: readonly [string, Buffer, ContentProfile, string][] = [
    [
      "hello world",
      Buffer.from("hello world"),
      "unixfs-v1-2025",
      "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
    ],
    [
      "hello",
      Buffer.from("hello\n"),
      "kubo-256k",
      "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am",
    ],
    [
      "nothing",
      Buffer.alloc(0),
      "unixfs-v1-2025",
      "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    ],
    [
      "one chunk",
      seeded(MiB, "chunk-v1-seed"),
      "unixfs-v1-2025",
      "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta",
    ],
    [
      "a byte more",
      seeded(MiB + 1, "chunk-v1-seed"),
      "unixfs-v1-2025",
      "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64",
    ],
  ];
  for (const [name, data, profile, cid] of vectors) {
    test(`of ${name} is the one that Kubo computes`, async () => {
      using folder = temporaryFolder();
      writeFileSync(folder.join("data"), data);
      const content = await openContent(folder.join("blocks"));
      const made = await content.cidOf(folder.join("data"), { profile, keep: false, signal });
      assert.deepEqual([made.cid, made.bytes], [cid, data.length]);
    });
  }

  test("of a file that is no longer there, or no CID at all, are refused", async () => {
    using folder = temporaryFolder();
    const content = await openContent(folder.join("blocks"));
    const options = { profile: "unixfs-v1-2025", keep: false, signal } as const;
    await assert.rejects(content.cidOf(folder.join("none"), options), failing("CONTENT_IO"));
    // A key of libp2p, an identity hash, a made-up text.
    const wrong = [
      "12D3KooWBzYogdShtaVE1yV273AA5gPTNy5Rd5ubwnhABkuVBhmQ",
      "bafkqablimvwgy3y",
      "b",
      "x".repeat(500),
    ];
    for (const cid of wrong) {
      await assert.rejects(
        content.exportCar(cid, folder.join("car"), { most, signal }),
        failing("CONTENT_CID_UNKNOWN"),
      );
    }
  });
});

describe("CAR archives", () => {
  test("carry a file from one home to another, block by block", async () => {
    using folder = temporaryFolder();
    const { own, other, path, made } = await twoHomes(folder, seeded(3 * MiB + 5, "car"));
    const car = folder.join("data.car");
    assert.deepEqual(await own.exportCar(made.cid, car, { most, signal }), made);
    assert.deepEqual(await other.importCar(car, { most, signal }), [made]);
    await other.fetch(made.cid, folder.join("again"), { sources: [], most, signal });
    assert.ok(readFileSync(folder.join("again")).equals(readFileSync(path)));
    assert.ok(statSync(car).size < made.bytes + 100 * made.blocks);
  });

  test("with a block that is not what its CID says, or without one of the file's, are refused", async () => {
    using folder = temporaryFolder();
    const { own, other, made } = await twoHomes(folder, seeded(MiB, "car"));
    const car = folder.join("data.car");
    await own.exportCar(made.cid, car, { most, signal });
    const bytes = readFileSync(car);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(car, bytes);
    await assert.rejects(other.importCar(car, { most, signal }), failing("CONTENT_BLOCK_WRONG"));
    const { writer, out } = CarWriter.create([CID.parse(made.cid)]);
    void writer.close();
    const pieces: Uint8Array[] = [];
    for await (const piece of out) pieces.push(piece);
    writeFileSync(car, Buffer.concat(pieces));
    const third = await openContent(folder.join("third"));
    await assert.rejects(third.importCar(car, { most, signal }), failing("CONTENT_MISSING"));
    writeFileSync(car, "no archive");
    await assert.rejects(other.importCar(car, { most, signal }), failing("CONTENT_MALFORMED"));
    // Its first block claims a gigabyte.
    writeFileSync(car, Buffer.concat([bytes.subarray(0, 59), Buffer.from("8080808004", "hex"), bytes]));
    await assert.rejects(other.importCar(car, { most, signal }), failing("CONTENT_MALFORMED"));
  });
});

describe("what a stranger's DAG may be", () => {
  test("a tree that unfolds to more than is allowed, or has more levels than any, is refused", async () => {
    using folder = temporaryFolder();
    const blocks = await openBlocks(folder.join("blocks"));
    const content = await openContent(folder.join("blocks"));
    const node = async (links: readonly CID[], each: number) => {
      const file = new UnixFS({ type: "file", blockSizes: links.map(() => BigInt(each)) });
      const Links = links.map((Hash) => ({ Hash, Tsize: 1, Name: "" }));
      const bytes = encode(prepare({ Data: file.marshal(), Links }));
      const cid = await blockOf(bytes);
      await blocks.put(cid, bytes);
      return cid;
    };
    const leaf = seeded(MiB, "leaf");
    const cid = CID.createV1(0x55, await sha256.digest(leaf));
    await blocks.put(cid, leaf);
    const fetch = (root: CID) =>
      content.fetch(root.toString(), folder.join("out"), { sources: [], most: 8 * MiB, signal });
    // Few blocks and many bytes: it says so, and it lies about it.
    await assert.rejects(fetch(await node(new Array(100).fill(cid), MiB)), failing("CONTENT_TOO_LARGE"));
    await assert.rejects(fetch(await node(new Array(100).fill(cid), 1)), failing("CONTENT_MALFORMED"));
    let deep: CID = cid;
    for (let i = 0; i < 9; i++) deep = await node([deep], MiB);
    await assert.rejects(fetch(deep), failing("CONTENT_MALFORMED"));
    const folderNode = encode(prepare({ Data: new UnixFS({ type: "directory" }).marshal(), Links: [] }));
    await blocks.put(await blockOf(folderNode), folderNode);
    await assert.rejects(fetch(await blockOf(folderNode)), failing("CONTENT_MALFORMED"));
  });
});

describe("gateway and node", () => {
  test("are interchangeable: either serves what the other home lacks, and no more is fetched twice", async () => {
    using folder = temporaryFolder();
    const { own, other, path, made } = await twoHomes(folder, seeded(5 * MiB + 1, "served"));
    await using server = await own.serve({ gateway: "127.0.0.1:0", node: "127.0.0.1:0", signal });
    const out = folder.join("fetched");
    const fetch = (home: typeof other, sources: readonly string[]) =>
      home.fetch(made.cid, out, { sources, most, signal });
    assert.equal((await fetch(other, [server.gateway])).fetched, made.blocks);
    assert.ok(readFileSync(out).equals(readFileSync(path)));
    assert.equal((await fetch(other, [])).fetched, 0);
    const third = await openContent(folder.join("third"));
    assert.equal((await fetch(third, server.nodes)).fetched, made.blocks);
    assert.ok(readFileSync(out).equals(readFileSync(path)));
    const car = await globalThis.fetch(`${server.gateway}/ipfs/${made.cid}?format=car`);
    writeFileSync(folder.join("car"), await car.bytes());
    const fourth = await openContent(folder.join("fourth"));
    assert.deepEqual(await fourth.importCar(folder.join("car"), { most, signal }), [made]);
    const statuses = ["", "?format=html", "x?format=raw"].map(async (end) => {
      const { status } = await globalThis.fetch(`${server.gateway}/ipfs/${made.cid}${end}`);
      return status;
    });
    assert.deepEqual(await Promise.all(statuses), [406, 406, 400]);
  });

  test("a gateway that gives another block is asked no more; what it gave is not kept", async () => {
    using folder = temporaryFolder();
    const { own, other, path, made } = await twoHomes(folder, seeded(MiB, "lies"));
    let asked = 0;
    const liar = createServer((_request, response) => {
      asked++;
      response.end(Buffer.from("another block"));
    });
    await once(liar.listen(0, "127.0.0.1"), "listening");
    try {
      const lies = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
      const out = folder.join("fetched");
      await assert.rejects(
        other.fetch(made.cid, out, { sources: [lies], most, signal }),
        failing("CONTENT_BLOCK_WRONG"),
      );
      await using server = await own.serve({ gateway: "127.0.0.1:0", node: "127.0.0.1:0", signal });
      asked = 0;
      await other.fetch(made.cid, out, { sources: [lies, server.gateway], most, signal });
      assert.ok(readFileSync(out).equals(readFileSync(path)));
      assert.equal(asked, 1);
    } finally {
      liar.close();
    }
  });

  test("a fetch that broke off goes on with the blocks that are missing", async () => {
    using folder = temporaryFolder();
    const { own, other, made } = await twoHomes(folder, seeded(4 * MiB, "resumed"));
    await using server = await own.serve({ gateway: "127.0.0.1:0", node: "127.0.0.1:0", signal });
    const sources = [server.gateway];
    const over = new AbortController();
    const onProgress = (done: number) => {
      if (done >= MiB) over.abort();
    };
    const out = folder.join("fetched");
    await assert.rejects(
      other.fetch(made.cid, out, { sources, most, signal: over.signal, onProgress }),
      /abort/i,
    );
    const { fetched, blocks } = await other.fetch(made.cid, out, { sources, most, signal });
    assert.ok(fetched > 0 && fetched <= blocks - 4, `${fetched} of ${blocks}`);
  });

  test("a block that was damaged on the disk is not served, and is fetched again", async () => {
    using folder = temporaryFolder();
    const { own, other, made } = await twoHomes(folder, Buffer.from("rows"));
    await using server = await own.serve({ gateway: "127.0.0.1:0", node: "127.0.0.1:0", signal });
    const out = folder.join("fetched");
    const fetch = () => other.fetch(made.cid, out, { sources: [server.gateway], most, signal });
    await fetch();
    const { store } = await openBlocks(folder.join("other"));
    await store.put(CID.parse(made.cid), Buffer.from("damaged"));
    assert.equal((await fetch()).fetched, 1);
    await (await openBlocks(folder.join("own"))).store.put(CID.parse(made.cid), Buffer.from("damaged"));
    const { status } = await globalThis.fetch(`${server.gateway}/ipfs/${made.cid}?format=raw`);
    assert.equal(status, 404);
  });
});
