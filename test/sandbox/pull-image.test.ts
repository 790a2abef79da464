import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { isIchainError } from "../../src/errors/error.ts";
import { tinyImage } from "../adversarial/task/tiny-image.ts";
import { needs } from "../support/require.ts";
import { type Answer, startHostileRegistry, startRegistry } from "../support/sandbox/registry.ts";
import { MIB, sandboxSetup, writeScript } from "./support.ts";

const bounds = { maxBytes: 2048 * MIB, seconds: 120, memoryBytes: 512 * MIB, cpus: 1 };
const needed = needs("docker", "root", "docker-registry", "alone");

/** A sandbox, and a small image that only the registry has: the engine holds it no more. */
async function published(t: TestContext, changes: readonly string[] = []) {
  const made = await sandboxSetup(t);
  t.after(() => made.sandbox.trim({ bytes: 0, keep: new Set() }));
  const registry = await startRegistry(t);
  const tiny = await tinyImage(t, { changes });
  const oci = registry.push(tiny.id, "someone/tiny");
  await made.engine.removeImage(tiny);
  const before = (await made.engine.images()).map(({ id }) => id).sort();
  const isClean = async () =>
    assert.deepEqual((await made.engine.images()).map(({ id }) => id).sort(), before);
  await isClean();
  return { ...made, registry, oci, isClean, digest: tiny.digest };
}

test("an image of a registry is pulled once, by digest, and runs with its own paths", needed, async (t) => {
  const env = ["ENV LD_LIBRARY_PATH=/opt/lib PATH=/opt/bin:/usr/bin", "ENV NVIDIA_VISIBLE_DEVICES=all"];
  const { sandbox, dir, oci, registry, digest, isClean } = await published(t, env);
  assert.equal(await sandbox.prepare({ oci }, bounds), digest);
  await registry.stop();
  assert.equal(await sandbox.prepare({ oci }, bounds), digest, "it is held now");
  const script = 'echo "$LD_LIBRARY_PATH $PATH $NVIDIA_VISIBLE_DEVICES"; cat /proc/1/cmdline';
  const { log } = await sandbox.run(await writeScript(dir, digest, script));
  assert.match(log, /^\/opt\/lib \/opt\/bin:\/usr\/bin void\n\/usr\/bin\/timeout/);
  assert.ok(!(await sandbox.probe()).images.some((image) => image.digest === digest));
  assert.deepEqual(await sandbox.trim({ bytes: 0, keep: new Set([digest]) }), []);
  assert.deepEqual(await sandbox.trim({ bytes: 0, keep: new Set() }), [digest]);
  await isClean();
});

test("an image that its operator pulled is used as it is, and stays the operator's", needed, async (t) => {
  const { sandbox, dir, oci, registry, digest } = await published(t);
  execFileSync("docker", ["pull", oci], { stdio: "ignore" });
  t.after(() => execFileSync("docker", ["rmi", "-f", oci], { stdio: "ignore" }));
  await registry.stop();
  assert.equal(await sandbox.prepare({ oci }, bounds), digest);
  const { log } = await sandbox.run(await writeScript(dir, digest, "cat /proc/1/cmdline"));
  assert.match(log, /^\/usr\/bin\/timeout/);
  await sandbox.trim({ bytes: 0, keep: new Set() });
  execFileSync("docker", ["inspect", oci], { stdio: "ignore" });
});

test("an image that the engine holds under another name is pulled by the job's", needed, async (t) => {
  const { sandbox, engine } = await sandboxSetup(t);
  t.after(() => sandbox.trim({ bytes: 0, keep: new Set() }));
  const registry = await startRegistry(t);
  const tiny = await tinyImage(t, {});
  const oci = registry.push(tiny.id, "someone/tiny");
  // It is known by its id before it gets the registry's name.
  assert.ok((await engine.images()).some(({ id }) => id === tiny.id));
  await sandbox.probe();
  assert.equal(await sandbox.prepare({ oci }, bounds), tiny.digest);
  await sandbox.trim({ bytes: 0, keep: new Set() });
  const left = (await engine.images()).find(({ id }) => id === tiny.id);
  assert.deepEqual([left?.tags, left?.references], [tiny.tags, []], "its own name stays");
});

test("an image that asks for more than a task's is pulled and removed", needed, async (t) => {
  for (const change of ["ENV LD_PRELOAD=/evil.so", "ENV NVIDIA_MIG_CONFIG_DEVICES=all", "VOLUME /data"]) {
    const { sandbox, oci, isClean } = await published(t, [change]);
    await assert.rejects(
      sandbox.prepare({ oci }, bounds),
      (error) => isIchainError(error, "IMAGE_REFUSED"),
      change,
    );
    await isClean();
  }
});

/** Well-formed, and of another digest. */
const otherManifest = (mediaType: string) => ({
  ...{ schemaVersion: 2, mediaType, layers: [] },
  config: {
    mediaType: "application/vnd.docker.container.image.v1+json",
    size: 3,
    digest: `sha256:${"cd".repeat(32)}`,
  },
});
const blob = (path: string) => path.includes("/blobs/");
/** Sends zeros until nobody listens. */
const endless: Answer = async (_, response) => {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  const zeros = Buffer.alloc(MIB);
  while (!response.destroyed)
    if (!response.write(zeros)) await once(response, "drain").catch(() => undefined);
};
const hostile: readonly {
  what: string;
  answer: (path: string) => Answer | undefined;
  tighter?: Partial<typeof bounds>;
  isOther?: boolean;
  why: RegExp;
}[] = [
  {
    what: "sends another manifest than the digest names",
    answer: (path) =>
      path.includes("/manifests/")
        ? (_, response) => {
            const type = "application/vnd.docker.distribution.manifest.v2+json";
            response.writeHead(200, { "content-type": type }).end(JSON.stringify(otherManifest(type)));
          }
        : undefined,
    isOther: true,
    why: /sends something else than the digest names/,
  },
  {
    what: "sends other layers than the manifest names",
    answer: (path) => (blob(path) ? (_, response) => void response.end("not a layer") : undefined),
    why: /sends something else than the digest names|could not pull it/,
  },
  {
    what: "sends a blob that never ends",
    answer: (path) => (blob(path) ? endless : undefined),
    tighter: { maxBytes: 64 * MIB },
    why: /took more than 67108864 bytes of the disk|sends something else|could not pull/,
  },
  {
    what: "holds a blob back",
    answer: (path) => (blob(path) ? (_, response) => void response.writeHead(200).write("x") : undefined),
    tighter: { seconds: 3 },
    why: /took more than 3 s/,
  },
  {
    what: "leads in a circle",
    answer: () => (request, response) => void response.writeHead(302, { location: request.url ?? "/" }).end(),
    why: /does not answer as one/,
  },
  {
    what: "asks for a login",
    answer: () => (_, response) => void response.writeHead(401).end(),
    why: /asks for a login/,
  },
  {
    what: "does not have it",
    answer: (path) =>
      path === "/v2/"
        ? undefined
        : (_, response) => {
            const errors = [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }];
            response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors }));
          },
    why: /does not have it/,
  },
];

for (const { what, answer, tighter, why, isOther = false } of hostile) {
  test(`a registry that ${what} ends in one sentence, and nothing stays`, needed, async (t) => {
    const { sandbox, registry, oci, isClean } = await published(t);
    const host = await startHostileRegistry(t, registry.host, answer);
    // The engine still knows the manifest that it pushed: another digest stands for one that it has to ask for.
    const unknown = `sha256:${"ab".repeat(32)}`;
    const there = oci
      .replace(registry.host, host)
      .replace(/sha256:.*/, (known) => (isOther ? unknown : known));
    await assert.rejects(sandbox.prepare({ oci: there }, { ...bounds, ...tighter }), (error) => {
      assert.ok(isIchainError(error, "IMAGE_PULL_FAILED"), String(error));
      assert.match(error.message, why);
      assert.ok(typeof error.details.why === "string" && !error.details.why.includes(host));
      return true;
    });
    await isClean();
  });
}

test("a registry that is down ends in one sentence", needed, async (t) => {
  const { sandbox, registry, oci, isClean } = await published(t);
  await registry.stop();
  await assert.rejects(sandbox.prepare({ oci }, bounds), (error) => {
    assert.ok(isIchainError(error, "IMAGE_PULL_FAILED"), String(error));
    assert.match(error.message, /does not answer/);
    return true;
  });
  await isClean();
  execFileSync("docker", ["version"], { stdio: "ignore" });
});
