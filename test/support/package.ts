import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bareEnvironment } from "./binary.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Packs what is built here as a release does, its dependencies pinned, and unpacks it; resolves with the unpacked folder. */
export function unpackPackage(into: string): string {
  const run = (program: string, args: readonly string[], cwd: string) =>
    execFileSync(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: npmHome(into) }).toString();
  const packed = run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", into], root);
  run("tar", ["xzf", packed.trim().split("\n").at(-1)!], into);
  const unpacked = join(into, "package");
  copyFileSync(join(root, "package-lock.json"), join(unpacked, "npm-shrinkwrap.json"));
  return unpacked;
}

/** npm's own home in `folder`; its cache is this machine's. */
export function npmHome(folder: string): Record<string, string> {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const cache = process.env.npm_config_cache ?? join(process.env.HOME ?? "/root", ".npm");
  const settings = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_.*|NODE_EXTRA_CA_CERTS)$/i.test(name),
  );
  return bareEnvironment({
    ...(Object.fromEntries(settings) as Record<string, string>),
    ...{ HOME: home, npm_config_cache: cache, npm_config_update_notifier: "false" },
  });
}
