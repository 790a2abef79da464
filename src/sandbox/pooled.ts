import { join } from "node:path";
import type { Sandbox } from "../ports/sandbox.ts";
import { dockerEngine } from "./engines/docker.ts";
import { remoteEngine } from "./engines/remote/remote.ts";
import type { Target } from "./engines/target.ts";
import { type Member, poolSandbox } from "./pool.ts";
import { createSandbox, type SandboxOptions } from "./sandbox.ts";

export interface PoolOptions extends Omit<SandboxOptions, "engine" | "socketPath" | "shared"> {
  readonly engines: readonly { readonly name: string; readonly target: Target }[];
}

/** The sandbox on a pool of Docker engines, here (by socket) or elsewhere, each with a state folder. */
export function createPool({ engines, stateDir, instance, ...rest }: PoolOptions): Sandbox {
  const members = engines.map(({ name, target }): Member => {
    const here = "socketPath" in target;
    const engine = here ? dockerEngine(target) : remoteEngine(target);
    const own = { engine, shared: !here, stateDir: join(stateDir, "engines", name) };
    return { name, engine, sandbox: createSandbox({ ...rest, instance, ...own }) };
  });
  return poolSandbox(members, stateDir);
}
