import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { networkSchema } from "../../src/config/network-schema.ts";

const folder = new URL("../../networks/examples/", import.meta.url);

describe("the shipped networks", () => {
  for (const file of readdirSync(folder)) {
    it(`${file} lacks nothing but the contracts, and names no public node`, () => {
      const text: unknown = parse(readFileSync(new URL(file, folder), "utf8"));
      const network = networkSchema.omit({ contracts: true }).parse(text);
      assert.equal(`${network.name}.yaml`, file);
      assert.equal(new URL(network.rpcUrl).hostname, "127.0.0.1");
      const issues = networkSchema.safeParse(text).error?.issues.map(({ path }) => path[0]);
      assert.deepEqual(issues, ["contracts"]);
    });
  }
});
