import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Limits, RuntimeImage, Sandbox, SandboxTask } from "../../src/ports/sandbox.ts";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import type { Engine } from "../../src/sandbox/engines/engine.ts";
import { buildRuntime } from "../../src/sandbox/runtimes/build.ts";
import { createSandbox, DEFAULT_SOCKET, type SandboxOptions } from "../../src/sandbox/sandbox.ts";

export const MIB = 2 ** 20;

/** Small limits for quick tests, which override those that they test. */
export const small: Limits = {
  cpus: 1,
  memoryBytes: 256 * MIB,
  diskBytes: 8 * MIB,
  wallSeconds: 60,
  pids: 64,
  logBytes: 256 * 1024,
};

/** Fields of a task that a test sets beside the program. */
export type TaskChanges = Partial<Omit<SandboxTask, "limits">> & { readonly limits?: Partial<Limits> };

/** Writes `program` as `file` into a new input folder below `dir`, and returns a task that runs it. */
export async function writeTask(
  dir: string,
  { image, interpreter, file, program }: Record<"image" | "interpreter" | "file" | "program", string>,
  { limits, ...more }: TaskChanges,
): Promise<SandboxTask> {
  const id = more.id ?? `task-${count++}`;
  const inputDir = join(dir, `in-${id}`);
  await mkdir(inputDir, { recursive: true, mode: 0o700 });
  await writeFile(join(inputDir, file), program, { mode: 0o600 });
  return {
    id,
    image,
    command: [interpreter, `/in/${file}`],
    inputDir,
    gpus: [],
    ...more,
    limits: { ...small, ...limits },
  };
}

/** The same for a shell script, on the root filesystem of `tinyRoot`. */
export function writeScript(dir: string, image: string, script: string, more: TaskChanges = {}) {
  const limits = { memoryBytes: 64 * MIB, ...more.limits };
  const shell = { image, interpreter: "/usr/bin/dash", file: "main.sh", program: script };
  return writeTask(dir, shell, { ...more, limits });
}

export interface SandboxSetup {
  readonly sandbox: Sandbox;
  readonly engine: Engine;
  readonly instance: string;
  readonly image: RuntimeImage;
  readonly dir: string;
  /** Writes `program` into a new input folder and returns a task of `python3 /in/main.py`. */
  task(program: string, more?: TaskChanges): Promise<SandboxTask>;
}

let count = 0;

/** A new sandbox on the real engine, swept and removed when the test ends. */
export async function sandboxSetup(
  t: TestContext,
  options: Partial<SandboxOptions> = {},
): Promise<SandboxSetup> {
  const engine = dockerEngine({ socketPath: DEFAULT_SOCKET });
  const image = await buildRuntime(engine, "python-ml");
  const instance = `test-${process.pid}-${count++}`;
  const dir = await mkdtemp(join(tmpdir(), `ichain-sandbox-${instance}-`));
  const sandbox = createSandbox({ stateDir: join(dir, "state"), instance, ...options });
  t.after(async () => {
    await createSandbox({ stateDir: join(dir, "state"), instance }).sweep(new Set());
    await rm(dir, { recursive: true, force: true });
  });
  return {
    sandbox,
    engine,
    instance,
    image,
    dir,
    task: (program, more = {}) =>
      writeTask(dir, { image: image.digest, interpreter: "python3", file: "main.py", program }, more),
  };
}
