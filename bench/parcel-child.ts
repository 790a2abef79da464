// One step of bench/parcel.ts, measured in its own process: `parcel-child.ts pack|open FOLDER`.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PackedParcel } from "../src/ports/parcels.ts";
import { ZERO_ADDRESS } from "../src/protocol/ids.ts";
import { createKeyring } from "../src/transfer/parcel/keyring/create.ts";
import { generateKeyring } from "../src/transfer/parcel/keyring/secret.ts";
import { createParcels } from "../src/transfer/parcel/parcels.ts";

const [step, folder = "."] = process.argv.slice(2);
const parcels = createParcels({ keyring: createKeyring({ secret: await generateKeyring(ZERO_ADDRESS) }) });
const packedFile = join(folder, "packed.json");

const before = process.cpuUsage();
const begin = performance.now();
if (step === "pack") {
  const packed = await parcels.pack({ root: join(folder, "in"), paths: ["data"], out: join(folder, "blob") });
  await writeFile(packedFile, JSON.stringify(packed));
} else {
  const packed = JSON.parse(await readFile(packedFile, "utf8")) as PackedParcel;
  await parcels.open({ ...packed, into: join(folder, "out"), limits: { maxBytes: 2 ** 40, maxFiles: 1 } });
}
const seconds = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    seconds,
    cpu: (user + system) / 1e6,
    rss_MiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
