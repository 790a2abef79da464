import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bareEnvironment, programRun } from "../support/binary.ts";
import { modulePath, needsPython } from "../support/python.ts";

test("the Python client passes its own tests", needsPython("json"), async () => {
  const own = bareEnvironment({
    ICHAIN: fileURLToPath(new URL("../../bin/ichain.js", import.meta.url)),
    PYTHONPATH: modulePath,
    PYTHONDONTWRITEBYTECODE: "1",
  });
  const env = { ...own, PATH: `${dirname(process.execPath)}:${own.PATH}` };
  const here = fileURLToPath(new URL(".", import.meta.url));
  const ended = await programRun("python3", ["-m", "unittest", "discover", "-s", here], { env });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /Ran 4 tests/);
});
