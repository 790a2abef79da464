// One step of scripts/soak-parcel.ts, measured by itself; works in the folder that it is started in.
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { PackedParcel } from "../../../src/ports/parcels.ts";
import type { HostIdentity } from "../../../src/ports/transport.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { newKeyring } from "./parcels.ts";

const BLOB = resolve("blob");
const transport = createDirectTransport({ listenHost: "127.0.0.1" });
const parcels = createParcels({ keyring: await newKeyring() });
const readPacked = async (path = "packed.json") => JSON.parse(await readFile(path, "utf8")) as PackedParcel;
const rss_MiB = () => Math.round(process.resourceUsage().maxRSS / 1024);

interface Order {
  readonly endpoint: HostIdentity["endpoint"];
  readonly packed: string;
}

async function pack() {
  const packed = await parcels.pack({ root: resolve("in"), paths: ["data"], out: BLOB });
  await writeFile("packed.json", JSON.stringify(packed));
  return { digest: packed.digest };
}

async function fetch({ endpoint, packed }: Order) {
  const { blob, ...rest } = await readPacked(packed);
  const { root, size } = blob;
  const fetched = await transport.fetch({ endpoint, root, path: BLOB, maxBytes: size, size });
  await writeFile("packed.json", JSON.stringify({ ...rest, blob: fetched }));
  return {};
}

async function open() {
  const packed = await readPacked();
  const limits = { maxBytes: 2 ** 40, maxFiles: 1 };
  const { digest } = await parcels.open({ ...packed, into: join(process.cwd(), "out"), limits });
  return { digest };
}

async function host() {
  const { blob } = await readPacked();
  const hosting = await transport.host({
    identity: await transport.newIdentity(),
    blobs: [blob],
    readers: [],
  });
  process.send?.({ endpoint: hosting.endpoint });
  await new Promise((done) => process.once("message", done));
  await transport.stop();
  process.send?.({ rss_MiB: rss_MiB() }, () => process.disconnect());
}

const steps: Readonly<Record<string, (order: Order) => Promise<object>>> = { pack, fetch, open };
const name = process.argv[2] ?? "";
if (name === "host") await host();
else {
  process.once("message", async (order: Order) => {
    const begin = performance.now();
    const result = await steps[name]?.(order);
    const seconds = Math.round(performance.now() - begin) / 1000;
    process.send?.({ ...result, seconds, rss_MiB: rss_MiB() }, () => process.disconnect());
  });
}
