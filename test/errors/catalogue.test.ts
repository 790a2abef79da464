import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { artifactOf } from "../../src/chain/abi/artifacts.ts";
import { errorCode } from "../../src/chain/abi/refusals.ts";
import { contractsErrors } from "../../src/errors/catalogue/contracts.ts";
import { catalogue, entryOf, isErrorCode } from "../../src/errors/catalogue.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const codes = Object.keys(catalogue).filter(isErrorCode);

describe("the error catalogue", () => {
  test("names every error that the contracts revert with", () => {
    const reverts = (
      [
        "JobEscrow",
        "FederatedEscrow",
        "DataCampaign",
        "ImprovementMarket",
        "ProviderRegistry",
        "ProviderRating",
      ] as const
    ).flatMap((name) => {
      const found: string[] = [];
      artifactOf(name).abi.forEachError((error) => found.push(errorCode(error.name)));
      return found;
    });
    assert.ok(reverts.length > 30);
    assert.deepEqual(
      reverts.filter((code) => code.startsWith("ESCROW_") && !isErrorCode(code)),
      [],
    );
    assert.deepEqual(
      reverts.filter((code) => /^(REGISTRY|RATING|CAMPAIGN)_/.test(code) && !isErrorCode(code)),
      [],
    );
  });

  test("holds no code that nothing throws", () => {
    const sources = globSync("{src,scripts}/**/*.ts", { cwd: root })
      .filter((path) => !path.startsWith("src/errors/catalogue"))
      .map((path) => readFileSync(`${root}${path}`, "utf8"))
      .join("\n");
    const idle = codes.filter((code) => !(code in contractsErrors) && !sources.includes(`"${code}"`));
    assert.deepEqual(idle, []);
  });

  test("gives each code one sentence or more of what to do", () => {
    for (const code of codes) assert.match(entryOf(code).hint, /^["`A-Za-z].{9,}\.$/s, code);
  });
});
