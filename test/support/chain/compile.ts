import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Interface } from "ethers";
import type { Hex } from "../../../src/protocol/ids.ts";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../../..", import.meta.url));

interface Compiled {
  readonly abi: Interface;
  readonly bytecode: Hex;
}

const compiled = new Map<string, Compiled>();

/** A contract of the tests' own, compiled when it is first needed: `path` is relative to the repository. */
export function compile(path: string, name: string): Compiled {
  const known = compiled.get(`${path}:${name}`) ?? compileNow(path, name);
  compiled.set(`${path}:${name}`, known);
  return known;
}

function compileNow(path: string, name: string): Compiled {
  const read = (file: string) =>
    readFileSync(file.startsWith("@") ? require.resolve(file) : root + file, "utf8");
  const input = {
    language: "Solidity",
    sources: { [path]: { content: read(path) } },
    settings: { outputSelection: { "*": { [name]: ["abi", "evm.bytecode.object"] } } },
  };
  const find = (file: string) => ({ contents: read(file) });
  const { contracts } = JSON.parse(require("solc").compile(JSON.stringify(input), { import: find }));
  const { abi, evm } = contracts[path][name];
  return { abi: new Interface(abi), bytecode: `0x${evm.bytecode.object}` };
}
