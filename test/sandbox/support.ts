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

/** Small and quick; a test overrides what it is about. */
export const small: Limits = {
  cpus: 1,
  memoryBytes: 256 * MIB,
  diskBytes: 8 * MIB,
  wallSeconds: 60,
  pids: 64,
  logBytes: 256 * 1024,
};

export interface Bench {
  readonly sandbox: Sandbox;
  readonly engine: Engine;
  readonly instance: string;
  readonly image: RuntimeImage;
  readonly dir: string;
  /** Writes `files` into a new input folder and describes a task of `python3 /in/main.py`. */
  task(
    program: string,
    more?: Partial<Omit<SandboxTask, "limits">> & { limits?: Partial<Limits> },
  ): Promise<SandboxTask>;
}

let count = 0;

/** A sandbox of its own on the real engine, swept and removed when the test ends. */
export async function bench(t: TestContext, options: Partial<SandboxOptions> = {}): Promise<Bench> {
  const engine = dockerEngine({ socketPath: DEFAULT_SOCKET });
  const image = await buildRuntime(engine, "python-ml");
  const dir = await mkdtemp(join(tmpdir(), "ichain-sandbox-"));
  const instance = `test-${process.pid}-${count++}`;
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
    async task(program, { limits, ...more } = {}) {
      const id = more.id ?? `task-${count++}`;
      const inputDir = join(dir, `in-${id}`);
      await mkdir(inputDir, { recursive: true, mode: 0o700 });
      await writeFile(join(inputDir, "main.py"), program, { mode: 0o600 });
      return {
        id,
        image: image.digest,
        command: ["python3", "/in/main.py"],
        inputDir,
        gpus: [],
        ...more,
        limits: { ...small, ...limits },
      };
    },
  };
}
