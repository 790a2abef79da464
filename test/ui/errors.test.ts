import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IchainError } from "../../src/errors/error.ts";
import { explain } from "../../src/ui/errors.ts";

describe("explaining errors", () => {
  it("leaves its own as they are", () => {
    const error = new IchainError("No.", { code: "USAGE", class: "usage", hint: "Do." });
    assert.equal(explain(error), error);
  });

  it("calls an abort an interrupt", () => {
    assert.equal(explain(AbortSignal.abort().reason).code, "INTERRUPTED");
  });

  it("keeps the cause of what nobody foresaw", () => {
    const cause = new TypeError("x is undefined\n  at secret.ts");
    const explained = explain(cause);
    assert.equal(explained.code, "INTERNAL");
    assert.equal(explained.cause, cause);
    assert.ok(!explained.message.includes("\n"));
    assert.equal(explain("a string").code, "INTERNAL");
  });
});
