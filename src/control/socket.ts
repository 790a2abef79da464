import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { DaemonKind } from "./messages.ts";

/** Longest path of a unix socket on Linux, bytes without the terminating NUL. */
const MAX_PATH_BYTES = 107;

/** The folder of a home's sockets, which only its owner may enter. */
export function controlFolder(home: string): string {
  return join(home, "control");
}

/**
 * A path by which the kernel takes this socket, for as long as it is not disposed of: in a home with a long path, by a
 * descriptor of the folder.
 * @throws ENOENT where the folder is missing
 */
export async function openSocketPath(
  home: string,
  kind: DaemonKind,
): Promise<{ readonly path: string } & AsyncDisposable> {
  const folder = controlFolder(home);
  const name = `${kind}.sock`;
  const whole = join(folder, name);
  if (Buffer.byteLength(whole) <= MAX_PATH_BYTES)
    return { path: whole, [Symbol.asyncDispose]: async () => {} };
  const handle: FileHandle = await open(folder, "r");
  return { path: `/proc/self/fd/${handle.fd}/${name}`, [Symbol.asyncDispose]: () => handle.close() };
}
