import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import {
  decodeLocator,
  type Endpoint,
  encodeLocator,
  endpointFor,
  tokenFor,
} from "../../../src/protocol/parcel/locator.ts";

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex);
const base32 = fc.string({
  unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567"),
  minLength: 56,
  maxLength: 56,
});
const size = fc.maxSafeNat().map((n) => n % 2 ** 48);
const endpoint: fc.Arbitrary<Endpoint> = fc.record(
  { transport: fc.constant("onion" as const), address: base32, token: hex(16) },
  { noNullPrototype: true },
);

describe("a locator", () => {
  it("is decoded as it was encoded", () => {
    fc.assert(
      fc.property(
        endpoint,
        endpoint,
        hex(32),
        hex(32),
        hex(32),
        size,
        size,
        (bundle, result, bundleKey, mask, reportRoot, bundleBytes, resultBytes) => {
          const sizes = { bundleBytes, resultBytes };
          const locator = {
            kind: "validation" as const,
            bundle,
            bundleKey,
            mask,
            result,
            reportRoot,
            ...sizes,
          };
          assert.deepEqual(decodeLocator(encodeLocator(locator), "validation"), locator);
        },
      ),
    );
  });

  it("of a model is decoded as it was encoded, and over an onion fits what a version may have", () => {
    fc.assert(
      fc.property(endpoint, hex(32), hex(32), size, (model, modelRoot, modelKey, modelBytes) => {
        const locator = { kind: "model" as const, model, modelRoot, modelBytes, modelKey };
        const bytes = encodeLocator(locator);
        assert.deepEqual(decodeLocator(bytes, "model"), locator);
        assert.ok(bytes.length <= 192, `${bytes.length}`);
      }),
    );
  });

  it("of an exam is decoded as it was encoded, alone and within one for a validation", () => {
    fc.assert(
      fc.property(endpoint, hex(32), hex(32), (place, root, key) => {
        const exam = { endpoint: place, root, key };
        const alone = { kind: "exam" as const, ...exam };
        assert.deepEqual(decodeLocator(encodeLocator(alone), "exam"), alone);
        const bundle = { bundle: place, bundleBytes: 1, bundleKey: key, mask: root };
        const result = { result: place, resultBytes: 2, reportRoot: key };
        const within = { kind: "validation" as const, ...bundle, ...result, exam };
        const bytes = encodeLocator(within);
        assert.deepEqual(decodeLocator(bytes, "validation"), within);
        for (const wrong of [bytes.slice(0, -1), new Uint8Array([...bytes, 0])])
          assert.throws(
            () => decodeLocator(wrong, "validation"),
            (error) => isIchainError(error, "LOCATOR_MALFORMED"),
          );
      }),
    );
  });

  it("of a failure is decoded as it was encoded, where either it or a result is looked for", () => {
    fc.assert(
      fc.property(endpoint, hex(32), size, (result, reportKey, resultBytes) => {
        const failure = { kind: "failure" as const, result, resultBytes, reportKey };
        const bytes = encodeLocator(failure);
        assert.deepEqual(decodeLocator(bytes, "result", "failure"), failure);
        assert.throws(
          () => decodeLocator(bytes, "result"),
          (error) => isIchainError(error, "LOCATOR_MALFORMED"),
        );
      }),
    );
  });

  it("is refused when truncated, extended or of another kind", () => {
    fc.assert(
      fc.property(endpoint, hex(32), fc.nat(), (result, reportRoot, cut) => {
        const bytes = encodeLocator({
          kind: "result",
          result,
          resultBytes: cut,
          reportRoot,
          reportShare: reportRoot,
        });
        const refused = (input: Uint8Array, kind: "result" | "bundle") =>
          assert.throws(
            () => decodeLocator(input, kind),
            (error) => isIchainError(error, "LOCATOR_MALFORMED"),
          );
        refused(bytes.slice(0, cut % bytes.length), "result");
        refused(Uint8Array.of(...bytes, 0), "result");
        refused(bytes, "bundle");
      }),
    );
  });

  it("gives each reader its own token, from which it derives those of further readers", () => {
    fc.assert(
      fc.property(endpoint, hex(32), hex(32), (base, one, other) => {
        const direct = endpointFor(base, one, other);
        assert.deepEqual(direct, endpointFor(endpointFor(base, one), other));
        assert.match(direct.token, /^0x[0-9a-f]{32}$/);
        const tokens = [base.token, tokenFor(base.token, one), tokenFor(base.token, other), direct.token];
        assert.equal(new Set(tokens).size, one === other ? 3 : 4);
      }),
    );
  });

  it("is refused with its own error when it is noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        try {
          decodeLocator(noise, "bundle");
        } catch (error) {
          assert.ok(isIchainError(error, "LOCATOR_MALFORMED"));
        }
      }),
    );
  });
});
