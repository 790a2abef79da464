import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { ErrorCode } from "../../src/errors/catalogue.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { BundledImage } from "../../src/ports/sandbox.ts";
import { plainDockerfile } from "../../src/sandbox/bundled/dockerfile.ts";
import { tinyImage } from "../adversarial/task/tiny-image.ts";
import { needs } from "../support/require.ts";
import { MIB, sandboxSetup } from "./support.ts";

const bounds = { maxBytes: 512 * MIB, seconds: 120, memoryBytes: 512 * MIB, cpus: 1 };
const code = (name: ErrorCode) => (error: unknown) => isIchainError(error, name);
const held = (name: string) => (name === "python-ml" ? "sha256:base" : undefined);

/** A sandbox and a folder for the bundle. Every image that the test makes is removed at its end. */
async function bundle(t: TestContext) {
  const made = await sandboxSetup(t);
  const dir = join(made.dir, "bundle");
  await mkdir(dir);
  t.after(() => made.sandbox.trim({ bytes: 0, keep: new Set() }));
  return { ...made, bundle: dir };
}

async function archived(dir: string, name: string, tar: readonly string[]) {
  execFileSync("tar", ["-c", "-f", join(dir, name), ...tar]);
  return { dir, archive: name, digest: await digestOf(join(dir, name)) };
}

async function digestOf(path: string): Promise<string> {
  return `sha256:${createHash("sha256")
    .update(await readFile(path))
    .digest("hex")}`;
}

describe("a Dockerfile", () => {
  test("is accepted with stages of held images, RUN, COPY, ENV and WORKDIR", () => {
    const plain = plainDockerfile(
      "# mine\nfrom python-ml AS build\nRUN echo a && \\\n  # why not\n  echo b\ncopy --chown=1:1 x /x\nFROM build\nCOPY --from=build /x /y\n",
      held,
      {},
    );
    assert.deepEqual(
      plain.split("\n").filter((line) => !line.startsWith("LABEL")),
      [
        "FROM sha256:base AS build",
        "RUN echo a &&    echo b",
        "COPY --chown=1:1 x /x",
        "FROM build",
        "COPY --from=build /x /y",
        "",
      ],
    );
  });

  for (const [what, text] of [
    ["a base that is not held", "FROM debian:bookworm"],
    ["a base named by a variable", "FROM $BASE"],
    ["nothing before RUN", "RUN true"],
    ["ADD, for which the engine fetches", "FROM python-ml\nADD http://192.0.2.1/x /x"],
    ["a frontend of its own", "# syntax=evil/frontend\nFROM python-ml"],
    ["another escape character", "# escape=`\nFROM python-ml"],
    ["files of another image", "FROM python-ml\nCOPY --from=alpine /etc /x"],
    ["a mount", "FROM python-ml\nRUN --mount=type=bind,source=/,target=/h true"],
    ["a network of its own", "FROM python-ml\nRUN --network=host true"],
    ["another platform", "FROM --platform=linux/arm64 python-ml"],
    ["a here-document", "FROM python-ml\nRUN <<EOF\ntrue\nEOF"],
    ["a trigger for later builds", "FROM python-ml\nONBUILD RUN true"],
    ["an instruction hidden by a continuation", "FROM python-ml\nRU\\\nN true"],
    ["nothing", "# empty"],
    ["too many steps", `FROM python-ml\n${"RUN true\n".repeat(101)}`],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => plainDockerfile(text, held, {}), code("DOCKERFILE_REFUSED"));
    });
  }

  test(
    "is built without network, and a task runs in the image",
    needs("docker", "root", "alone"),
    async (t) => {
      const { sandbox, task, bundle: dir } = await bundle(t);
      await writeFile(join(dir, "words"), "from the bundle\n");
      const network = `import socket; s = socket.socket(); s.settimeout(2); print(s.connect_ex(("192.0.2.1", 80)))`;
      await writeFile(
        join(dir, "Dockerfile"),
        `FROM python-ml\nCOPY words /srv/words\nRUN python3 -c '${network}' > /srv/network\n`,
      );
      const digest = await sandbox.prepare({ dir, dockerfile: "Dockerfile" }, bounds);
      assert.ok(
        !(await sandbox.probe()).images.some((image) => image.digest === digest),
        "one job's image is not offered to other jobs",
      );
      const work = await task(`print(open("/srv/words").read(), open("/srv/network").read())`, {
        image: digest,
      });
      assert.match((await sandbox.run(work)).log, /^from the bundle\n 101\n/); // ENETUNREACH
    },
  );

  test(
    "that fails, takes too much time or disk, or sets LD_PRELOAD is refused and leaves nothing",
    needs("docker", "root"),
    async (t) => {
      const { sandbox, engine, instance, bundle: dir } = await bundle(t);
      const before = (await engine.images()).map(({ id }) => id).sort();
      const attempt = async (text: string, tighter = {}) => {
        await writeFile(join(dir, "Dockerfile"), `FROM python-ml\n${text}\n`);
        try {
          return await sandbox.prepare({ dir, dockerfile: "Dockerfile" }, { ...bounds, ...tighter });
        } finally {
          const label = `label=ichain.origin=${instance}`;
          assert.equal(String(execFileSync("docker", ["ps", "-aq", "--filter", label])), "", text);
        }
      };
      await assert.rejects(attempt("RUN false"), code("IMAGE_BUILD_FAILED"));
      await assert.rejects(attempt("RUN sleep 60", { seconds: 3 }), code("IMAGE_BUILD_FAILED"));
      await assert.rejects(
        attempt("RUN dd if=/dev/zero of=/big bs=1M count=3000; sleep 20", {
          maxBytes: 256 * MIB,
          seconds: 60,
        }),
        code("IMAGE_BUILD_FAILED"),
      );
      await assert.rejects(attempt("ENV LD_PRELOAD=/in/evil.so"), code("IMAGE_REFUSED"));
      await sandbox.trim({ bytes: 0, keep: new Set() });
      assert.deepEqual((await engine.images()).map(({ id }) => id).sort(), before);
    },
  );
});

describe("an image archive", () => {
  test(
    "is loaded under the digest in the spec, and a task runs in it",
    needs("docker", "root"),
    async (t) => {
      const { sandbox, task, bundle: dir } = await bundle(t);
      const tiny = await tinyImage(t, {});
      const made = execFileSync("docker", ["create", tiny.id, "sh"], { encoding: "utf8" }).trim();
      execFileSync("docker", ["export", "-o", join(dir, "root.tar"), made]);
      execFileSync("docker", ["rm", made]);
      const image = { dir, archive: "root.tar", digest: await digestOf(join(dir, "root.tar")) };
      const digest = await sandbox.prepare(image, bounds);
      assert.equal(digest, image.digest);
      const work = await task("", { image: digest, command: ["/usr/bin/dash", "-c", "pwd"] });
      assert.equal((await sandbox.run(work)).log, "/in\n");
      assert.equal(await sandbox.prepare(image, bounds), digest, "a second call finds it");
    },
  );

  test(
    "with another digest, a path outside its root, a sparse file or no tar format is refused before the engine reads it",
    needs("docker", "root"),
    async (t) => {
      const { sandbox, engine, bundle: dir, dir: home } = await bundle(t);
      const before = (await engine.images()).length;
      const inner = join(home, "inner");
      await mkdir(inner);
      await writeFile(join(inner, "x"), "x");
      await writeFile(join(inner, "sparse"), "");
      await truncate(join(inner, "sparse"), 2 ** 40);
      await mkdir(join(inner, "many"));
      await writeFile(join(inner, "many/large"), Buffer.alloc(4 * MIB));
      const good = await archived(dir, "good.tar", ["-C", inner, "x"]);
      const hostile: [string, BundledImage][] = [
        ["another digest", { ...good, digest: `sha256:${"0".repeat(64)}` }],
        [
          "a path upwards",
          await archived(dir, "up.tar", ["-P", "-C", inner, "--transform=s,x,../../etc/ichain-up,", "x"]),
        ],
        [
          "an absolute path",
          await archived(dir, "abs.tar", ["-P", "-C", inner, "--transform=s,x,/etc/ichain-abs,", "x"]),
        ],
        ["a sparse file", await archived(dir, "sparse.tar", ["-S", "-C", inner, "sparse"])],
        [
          "a sparse file in POSIX format",
          await archived(dir, "posix.tar", ["-S", "-H", "posix", "-C", inner, "sparse"]),
        ],
        ["compressed bytes", await archived(dir, "packed.tar", ["-z", "-C", inner, "x"])],
      ];
      for (const [what, image] of hostile) {
        await assert.rejects(sandbox.prepare(image, bounds), code("IMAGE_MALFORMED"), what);
      }
      const large = await archived(dir, "large.tar", ["-C", inner, "many"]);
      await assert.rejects(sandbox.prepare(large, { ...bounds, maxBytes: MIB }), code("IMAGE_MALFORMED"));
      for (const archive of ["absent.tar", "../inner/x"]) {
        const image = { dir, archive, digest: `sha256:${"0".repeat(64)}` };
        await assert.rejects(sandbox.prepare(image, bounds), code("IMAGE_MALFORMED"));
      }
      assert.equal((await engine.images()).length, before);
      assert.ok(!existsSync("/etc/ichain-up") && !existsSync("/etc/ichain-abs"));
    },
  );
});
