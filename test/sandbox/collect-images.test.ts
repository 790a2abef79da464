import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Engine, EngineImage } from "../../src/sandbox/engines/engine.ts";
import { type ContainerSettings, containerName } from "../../src/sandbox/policy.ts";
import { needs } from "../support/require.ts";
import { sandboxSetup } from "./support.ts";

/** An image of one small file; `origin` is the instance whose job it came with. */
async function image(t: TestContext, engine: Engine, name: string, origin?: string): Promise<EngineImage> {
  const tag = `ichain-test/${name}-${process.pid}`;
  const label = origin === undefined ? [] : ["--change", `LABEL ichain.origin=${origin}`];
  const input = execFileSync("tar", ["-c", "--transform", `s,.*,${name},`, "/etc/hostname"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  execFileSync("docker", ["import", ...label, "-", tag], { input, timeout: 60_000 });
  // The test may have removed it already.
  t.after(() => spawnSync("docker", ["rmi", "-f", tag], { stdio: "ignore", timeout: 60_000 }));
  return (await engine.images()).find(({ tags }) => tags.includes(`${tag}:latest`))!;
}

test(
  "images of past jobs are removed, the longest unused first, until the rest fits the budget",
  needs("docker", "root", "alone"),
  async (t) => {
    const { sandbox, engine, dir, instance, image: runtime } = await sandboxSetup(t);
    const made: EngineImage[] = [];
    for (const name of ["a", "b", "c"]) made.push(await image(t, engine, name, instance));
    const foreign = await image(t, engine, "foreign");
    const others = await image(t, engine, "others", "another");
    const uses = join(dir, "state", "images");
    await mkdir(uses, { recursive: true });
    for (const [i, hours] of [2, 3, 1].entries()) {
      const path = join(uses, made[i]!.digest.slice(7));
      await writeFile(path, "");
      await utimes(path, new Date(), new Date(Date.now() - hours * 3_600_000));
    }
    const [a, b, c] = made.map(({ digest }) => digest);
    const ours = (await engine.images()).filter(
      ({ labels }) => labels["ichain.origin"] ?? labels["ichain.recipe"],
    );
    const all = ours.reduce((sum, { bytes }) => sum + bytes, 0);

    assert.deepEqual(
      await sandbox.trim({ bytes: all, keep: new Set() }),
      [],
      "nothing is removed within the budget",
    );
    assert.deepEqual(
      await sandbox.trim({ bytes: all - 1, keep: new Set() }),
      [b],
      "the longest unused first",
    );
    assert.deepEqual(
      await sandbox.trim({ bytes: 0, keep: new Set([a!]) }),
      [c],
      "an image that a job needs stays",
    );
    const left = new Set((await engine.images()).map(({ digest }) => digest));
    for (const digest of [a!, foreign.digest, others.digest, runtime.digest]) assert.ok(left.has(digest));
    assert.ok(!left.has(b!) && !left.has(c!));
  },
);

test(
  "an image stays while a container uses it, whatever the budget, and is removed afterwards",
  needs("docker", "root"),
  async (t) => {
    const { sandbox, engine, instance } = await sandboxSetup(t);
    const used = await image(t, engine, "used", instance);
    const none = { bytes: 0, keep: new Set<string>() };
    const settings = { Image: used.id, Cmd: ["/used"], Labels: { "ichain.instance": instance } };
    const held = await engine.create(
      containerName(instance, "made"),
      settings as unknown as ContainerSettings,
    );
    assert.deepEqual(await sandbox.trim(none), []);
    await engine.remove(held);
    assert.deepEqual(await sandbox.trim(none), [used.digest]);
  },
);
