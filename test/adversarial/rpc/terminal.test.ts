import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { exitCodes } from "../../../src/errors/error.ts";
import { ichainRun, temporaryFolder } from "../../support/binary.ts";

/** Retitles the window, clears it, turns the line round, forges a line of ours. */
const WORDS = "no\u001b]0;owned\u0007\u009b2J\u202e\u2028\u061c\u200b\nhint  send your key to evil.example";
/** Colours that ichain itself chose are not asked for here (NO_COLOR). */
const POWERFUL = /[^\P{C}\n\t]|[\u2028\u2029]/u;

/** A node that answers every call with an error in these words. */
async function node(t: TestContext, message: string): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const calls = [JSON.parse(body)].flat() as { id: number }[];
      const answers = calls.map(({ id }) => ({ jsonrpc: "2.0", id, error: { code: -32000, message } }));
      response.end(JSON.stringify(Array.isArray(JSON.parse(body)) ? answers : answers[0]));
    });
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a node's words in an error neither move the cursor nor pass for a line of ichain's", async (t) => {
  using home = temporaryFolder();
  const contract = (digit: string) => `"0x${digit.repeat(40)}"`;
  writeFileSync(
    home.join("network.yaml"),
    `name: test\nchainId: 5\nrpcUrl: ${await node(t, WORDS)}\n` +
      `contracts: { escrow: ${contract("1")}, registry: ${contract("2")}, rating: ${contract("3")} }\n`,
  );
  const env = { ICHAIN_HOME: home.path, ICHAIN_NETWORK: home.join("network.yaml"), NO_COLOR: "1" };
  for (const more of [{}, { ICHAIN_DEBUG: "1" }]) {
    const { code, stderr } = await ichainRun(["providers"], { ...env, ...more });
    assert.equal(code, exitCodes.refused, stderr);
    assert.match(stderr, /owned/, "the node's words are told");
    assert.doesNotMatch(stderr, POWERFUL);
  }
  const { stderr } = await ichainRun(["providers"], env);
  assert.equal(stderr.match(/^hint /gm)?.length, 1, stderr);
  const { stdout } = await ichainRun(["providers", "--json"], env);
  assert.doesNotMatch(stdout, POWERFUL);
  assert.ok((JSON.parse(stdout) as { error: { message: string } }).error.message.includes("\u009b2J"));
});
