// Deploys the market's contracts to a chain that stays, by Hardhat Ignition, and writes the network file that
// `ICHAIN_NETWORK` takes. Run again it finds what is there, verifies it, and changes nothing.
//
//   npm run deploy -- --name sepolia --rpc-url https://… --keystore wallet.json --password-file secret
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openWallet } from "../src/chain/wallet.ts";
import { networkSchema } from "../src/config/network-schema.ts";
import { IchainError, isIchainError } from "../src/errors/error.ts";
import { ignite } from "./deploy/ignite.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const { values } = parseArgs({
  options: {
    name: { type: "string" },
    "rpc-url": { type: "string" },
    keystore: { type: "string" },
    "password-file": { type: "string" },
    confirmations: { type: "string", default: "3" },
    folder: { type: "string" },
    out: { type: "string" },
  },
});

try {
  const name = needed("name");
  const rpcUrl = needed("rpc-url");
  const password = (await readFile(needed("password-file"), "utf8")).split(/\r?\n/)[0] ?? "";
  const wallet = await openWallet(await readFile(needed("keystore"), "utf8"), password);
  const confirmations = Number(values.confirmations);
  const folder = values.folder ?? resolve(ROOT, "ignition/deployments", name);
  const { chainId, ...contracts } = await ignite({ rpcUrl, wallet, folder, confirmations });
  const network = networkSchema.parse({ name, chainId, rpcUrl, contracts, confirmations });
  const out = values.out ?? resolve(ROOT, "networks", `${name}.json`);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(network, undefined, 2)}\n`);
  console.log(JSON.stringify({ ...network, file: out }));
} catch (error) {
  if (!isIchainError(error)) throw error;
  console.error(`${error.message}\nHint: ${error.hint}`);
  process.exitCode = 1;
}

function needed(flag: "name" | "rpc-url" | "keystore" | "password-file"): string {
  const value = values[flag];
  if (value !== undefined) return value;
  throw new IchainError("FLAG_MISSING", `--${flag} is missing.`, {
    class: "usage",
    hint: "See the first lines of scripts/deploy.ts.",
  });
}
