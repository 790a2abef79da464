import { readFileSync } from "node:fs";

/** Name and version of this program, as its package.json has them. */
export function programPackage(): { readonly name: string; readonly version: string } {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
}

export function programVersion(): string {
  return programPackage().version;
}
