import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { moduleFolder, moduleSteps } from "./module.ts";
import type { Recipe } from "./recipe.ts";

/** SOURCE_DATE_EPOCH: 1 January 2025, 0:00 UTC. Later times of files in the image are set to it. */
const EPOCH = "1735689600";

const compile =
  "python3 -m compileall -q -x /tests/ --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.[0-9]*";

/** Shell steps that make the same packages give the same bytes; `$1` is the new root. */
export const reproducibleSteps: readonly string[] = [
  ...moduleSteps,
  // Debian compiles Python modules with time stamps. Compile again, with hashes that Python does not check.
  'find "$1/usr" -xdev -name __pycache__ -type d -prune -exec rm -rf {} +',
  `if [ -x "$1/usr/bin/python3" ]; then PYTHONHASHSEED=0 chroot "$1" sh -c '${compile}'; fi`,
  // Remove caches, logs, and files that name the building machine or its mirror.
  'rm -rf "$1"/var/cache/* "$1"/var/log/* "$1"/var/lib/apt/lists/*',
  'rm -f "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/* "$1/etc/resolv.conf" "$1/etc/hostname"',
  ': > "$1/etc/machine-id"',
  // The program that enforces the deadline inside containers, as the task's user. Execute-only, because a user can
  // neither trace nor write to a process whose program that user cannot read.
  'install -D -m 0711 "$1/usr/bin/timeout" "$1/usr/lib/ichain/deadline"',
];

export interface BootstrapOptions extends AbortOptions {
  /** Told each line of the build's output. */
  readonly onLog?: ((line: string) => void) | undefined;
}

/**
 * Builds a root filesystem from the Debian mirror in this machine's apt sources into the tar archive `out`. Needs root.
 * @throws RUNTIME_BUILD_FAILED
 */
export async function bootstrap(
  recipe: Recipe,
  out: string,
  { signal, onLog }: BootstrapOptions = {},
): Promise<void> {
  const args = [
    "--variant=minbase",
    `--components=${recipe.components.join(",")}`,
    `--include=${recipe.packages.join(",")}`,
    ...recipe.prune.map((path) => `--dpkgopt=path-exclude=/${path}/*`),
    ...reproducibleSteps.map((step) => `--customize-hook=${step}`),
    recipe.suite,
    out,
  ];
  const child = spawn("mmdebstrap", args, {
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      LANG: "C",
      SOURCE_DATE_EPOCH: EPOCH,
      TASK_MODULE: moduleFolder,
    },
    stdio: ["ignore", "ignore", "pipe"],
    ...(signal ? { signal, killSignal: "SIGTERM" as const } : {}),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  ended.catch(() => undefined); // awaited below; a failed spawn may come first
  // apt's own error comes first ("E: Unable to locate package …"), and then what it kept mmdebstrap from doing.
  let [last, fault]: [string, string | undefined] = ["", undefined];
  for await (const line of createInterface({ input: child.stderr })) {
    last = line.slice(0, 300);
    if (last.startsWith("E: ")) fault ??= last.slice("E: ".length).replace(/\.$/, "");
    onLog?.(last);
  }
  const code = await ended.catch((cause: NodeJS.ErrnoException) => {
    signal?.throwIfAborted();
    throw failed(cause.code === "ENOENT" ? "mmdebstrap is not installed" : cause.message, cause);
  });
  signal?.throwIfAborted();
  if (code !== 0) throw failed((fault ?? last) || `mmdebstrap ended with ${code}`);
}

function failed(why: string, cause?: unknown): IchainError {
  return new IchainError("RUNTIME_BUILD_FAILED", `The runtime could not be built: ${why}.`, { cause });
}
