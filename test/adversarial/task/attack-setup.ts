import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Limits, RunOptions, SandboxTask, TaskRun } from "../../../src/ports/sandbox.ts";
import type { Tier } from "../../../src/protocol/offer.ts";
import { type SandboxSetup, sandboxSetup, small } from "../../sandbox/support.ts";

const probes = fileURLToPath(new URL("./probes/", import.meta.url));

export interface Attack {
  readonly args?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly id?: string;
  readonly image?: string;
}

export interface AttackSetup extends SandboxSetup {
  readonly tier: Tier;
  attack(program: string, attack?: Attack): Promise<SandboxTask>;
  run(program: string, attack?: Attack, options?: RunOptions): Promise<TaskRun>;
}

let count = 0;

/** A sandbox of one tier, in which the programs of `probes/` can be run. */
export async function attackSetup(t: TestContext, tier: Tier): Promise<AttackSetup> {
  const base = await sandboxSetup(t, { leastTier: tier });
  const attack = async (
    program: string,
    { args = [], limits, id, image }: Attack = {},
  ): Promise<SandboxTask> => {
    const name = id ?? `${program.slice(0, 2)}-${count++}`;
    const inputDir = join(base.dir, `in-${name}`);
    await mkdir(inputDir, { recursive: true });
    for (const file of [program, "support.py"]) await copyFile(join(probes, file), join(inputDir, file));
    return {
      id: name,
      image: image ?? base.image.digest,
      command: ["python3", program, ...args],
      inputDir,
      gpus: [],
      limits: { ...small, ...limits },
    };
  };
  return {
    ...base,
    tier,
    attack,
    run: async (program, more, options) => base.sandbox.run(await attack(program, more), options),
  };
}

/**
 * Asserts that every attempt of the program was denied and that there were at least `least`. `harmless` matches those
 * that succeed but affect only gVisor's own kernel.
 */
export function assertDenied(run: TaskRun, least: number, harmless: RegExp = /^$/): void {
  const lines = run.log.split("\n");
  const allowed = lines.filter((line) => line.startsWith("ALLOWED") && !harmless.test(line));
  assert.deepEqual(allowed, [], run.log.slice(0, 2000));
  const denied = lines.filter((line) => /^(denied|ALLOWED)/.test(line)).length;
  assert.ok(
    denied >= least,
    `${denied} of ${least} attempts reported: ${run.ended} ${run.exitCode}\n${run.log.slice(-2000)}`,
  );
}
