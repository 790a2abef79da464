import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { sandboxSetup } from "../../sandbox/support.ts";
import { needs } from "../../support/require.ts";
import { tinyImage } from "./tiny-image.ts";

const shell = "/usr/bin/dash";

describe("19 hostile images", () => {
  for (const [what, change] of [
    ["LD_PRELOAD", "ENV LD_PRELOAD=/in/evil.so"],
    ["a device of NVIDIA's runtime", "ENV NVIDIA_MIG_CONFIG_DEVICES=all"],
    ["PYTHONPATH", "ENV PYTHONPATH=/in"],
    ["a volume", "VOLUME /var/lib/free-space"],
  ] as const) {
    test(
      `an image that sets ${what} is refused before anything is created`,
      needs("docker", "alone"),
      async (t) => {
        const image = await tinyImage(t, { changes: [change] });
        const { sandbox, task, engine } = await sandboxSetup(t);
        const work = await task("", { image: image.digest, command: [shell, "-c", "true"] });
        await assert.rejects(sandbox.run(work), (error) => isIchainError(error, "IMAGE_REFUSED"));
        assert.deepEqual(await engine.list({ "ichain.job": work.id }), []);
        assert.ok(!(await sandbox.probe()).images.some(({ digest }) => digest === image.digest));
      },
    );
  }

  test(
    "an image's working folder, entry point, user and health check are ignored",
    needs("docker"),
    async (t) => {
      const changes = [
        "WORKDIR /proc/self/fd/8",
        'ENTRYPOINT ["/usr/bin/touch", "/out/entered"]',
        "USER root",
        "HEALTHCHECK CMD /usr/bin/touch /out/healthy",
      ];
      const image = await tinyImage(t, { changes });
      const { sandbox, task } = await sandboxSetup(t);
      const work = await task("", { image: image.digest, command: [shell, "-c", "pwd; ls /out"] });
      assert.equal((await sandbox.run(work)).log, "/in\n");
    },
  );

  for (const folder of ["dev", "proc", "in", "out", "tmp"]) {
    test(
      `an image whose /${folder} is a link to a folder of the host changes nothing there`,
      needs("docker"),
      async (t) => {
        const mark = `/var/tmp/ichain-escape-${process.pid}`;
        const image = await tinyImage(t, { links: { [folder]: "../../../../../var/tmp" } });
        const { sandbox, task } = await sandboxSetup(t);
        const program = `for d in /dev /proc /in /out /tmp; do touch $d/ichain-escape-${process.pid}; done; ls / /out`;
        const work = await task("", { image: image.digest, command: [shell, "-c", program] });
        // Either the runtime refuses such a root filesystem, or the link resolves inside it.
        await sandbox
          .run(work)
          .catch((error: unknown) => assert.ok(isIchainError(error, "ENGINE_REFUSED"), String(error)));
        assert.ok(!existsSync(mark));
      },
    );
  }
});
