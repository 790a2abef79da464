import assert from "node:assert/strict";
import { test } from "node:test";
import { Wallet } from "ethers";
import { createWallet, importKey, openWallet, walletAddress } from "../../src/chain/wallet.ts";
import { isIchainError } from "../../src/errors/error.ts";

const KEY = `0x${"11".repeat(32)}`;
const hasCode = (code: string) => (error: unknown) => isIchainError(error, code);

test("a created wallet opens with its password and no other", async () => {
  const { address, keystoreJson } = await createWallet("correct horse", { light: true });
  assert.equal((await openWallet(keystoreJson, "correct horse")).address, address);
  await assert.rejects(openWallet(keystoreJson, "correct house"), hasCode("WALLET_WRONG_PASSWORD"));
  await assert.rejects(openWallet(keystoreJson, ""), hasCode("WALLET_WRONG_PASSWORD"));
});

test("two created wallets differ", async () => {
  const [a, b] = await Promise.all([1, 2].map(() => createWallet("x", { light: true })));
  assert.notEqual(a?.address, b?.address);
});

test("an imported key keeps its address, with or without 0x", async () => {
  for (const key of [KEY, KEY.slice(2), ` ${KEY}\n`]) {
    const { address, keystoreJson } = await importKey(key, "x", { light: true });
    assert.equal(address, new Wallet(KEY).address);
    assert.equal(walletAddress(keystoreJson), address.toLowerCase());
    assert.equal((await openWallet(keystoreJson, "x")).privateKey, KEY);
    assert.ok(!keystoreJson.includes(KEY.slice(2)));
  }
});

test("what is no key is refused without being repeated", async () => {
  for (const bad of ["", "0x12", `${KEY}ff`, `0x${"00".repeat(32)}`, "zz".repeat(32)]) {
    await assert.rejects(importKey(bad, "x", { light: true }), (error) => {
      assert.ok(isIchainError(error, "WALLET_KEY_INVALID"));
      assert.ok(bad === "" || !JSON.stringify([error.message, error.stack, error.cause]).includes(bad));
      return true;
    });
  }
});

test("the standard wallet of a person is stretched at full strength, and tells how far it is", async () => {
  const shares: number[] = [];
  const { keystoreJson } = await createWallet("x", { onProgress: (share) => shares.push(share) });
  assert.equal(JSON.parse(keystoreJson).Crypto.kdfparams.n, 131072);
  assert.equal(shares.at(-1), 1);
});

test("opening stops when it is aborted", async () => {
  const { keystoreJson } = await createWallet("x");
  const controller = new AbortController();
  const opening = openWallet(keystoreJson, "x", {
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await assert.rejects(opening, { name: "AbortError" });
});

test("hostile or broken keystores are refused before any work", async () => {
  const { keystoreJson } = await createWallet("x", { light: true });
  const heavy = JSON.parse(keystoreJson);
  heavy.Crypto.kdfparams.n = 2 ** 30;
  for (const bad of [
    "",
    "{}",
    "[]",
    "null",
    keystoreJson.slice(0, -9),
    JSON.stringify(heavy),
    " ".repeat(70_000),
  ]) {
    await assert.rejects(openWallet(bad, "x"), hasCode("WALLET_MALFORMED"));
  }
});
