import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { programVersion } from "../../src/version.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

test("update --check compares this version with the newest of the registry that npm is configured for", async (t) => {
  using home = temporaryFolder();
  let newest = "0.0.1";
  const server = createServer((request, response) => {
    const version = { name: "ichain", version: newest, dist: { tarball: "http://127.0.0.1:1/ichain.tgz" } };
    const tags = { latest: newest };
    const found = request.url === "/ichain" && newest !== "";
    response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
    response.end(
      JSON.stringify(found ? { name: "ichain", "dist-tags": tags, versions: { [newest]: version } } : {}),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const check = async (version: string) => {
    newest = version;
    const env = {
      ...{ ICHAIN_HOME: home.join("home"), HOME: home.path, npm_config_cache: home.join("cache") },
      ...{ npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_fetch_retries: "0" },
    };
    const { stdout, stderr } = await ichainRun(["update", "--check", "--json"], env);
    return stdout === "" ? stderr : JSON.parse(stdout);
  };
  const installed = programVersion();
  assert.deepEqual(await check("99.1.0"), { installed, newest: "99.1.0", newer: true });
  assert.deepEqual(await check("0.0.1"), { installed, newest: "0.0.1", newer: false });
  const { error } = await check("");
  assert.equal(error.code, "UPDATE_UNKNOWN");
});
