import assert from "node:assert/strict";
import { test } from "node:test";
import { Wallet } from "ethers";
import { isSignedNotice, signNotice } from "../../../src/chain/notices.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { MAX_SEALED_BYTES, PART_CHARS } from "../../../src/protocol/limits.ts";
import { decodeNotice, encodeNotice, type Notice, shownNotice } from "../../../src/protocol/task/notice.ts";
import { code } from "../../support/parcel/parcels.ts";

const wallet = Wallet.createRandom();
const account = wallet.address as Address;
const domain = { chainId: 31337n, escrow: `0x${"5e".repeat(20)}` as Address };
const notice: Notice = {
  version: 1,
  kind: "failed",
  jobId: `0x${"ab".repeat(32)}`,
  code: "RUN_FAILED",
  reason: "the task exited with code 1",
  at: 1_790_000_000,
  run: { ended: "exit", exitCode: 1, wallSeconds: 0.25, cpuSeconds: 0.125, peakMemoryBytes: 9_000_000 },
  log: "Traceback\n",
};
const changes: Readonly<Record<string, object>> = {
  kind: { kind: "declined" },
  job: { jobId: `0x${"ac".repeat(32)}` },
  code: { code: "RUN_FAILED2" },
  reason: { reason: "the task exited with code 2" },
  time: { at: 1_790_000_001 },
  "exit code": { run: { ...notice.run, exitCode: 0 } },
  log: { log: "Traceback\n\n" },
  "missing log": { log: undefined },
};

test("a notice is read as it was written, and is known as its account's", () => {
  const signed = signNotice(wallet, notice, domain);
  const read = decodeNotice(encodeNotice(signed));
  assert.deepEqual(read, signed);
  assert.ok(isSignedNotice(read, account, domain));
});

for (const [what, change] of Object.entries(changes)) {
  test(`a notice with another ${what} is not signed`, () => {
    const { signature } = signNotice(wallet, notice, domain);
    assert.ok(!isSignedNotice({ notice: { ...notice, ...change } as Notice, signature }, account, domain));
  });
}

test("a notice of another account, chain or market is not signed", () => {
  const signed = signNotice(wallet, notice, domain);
  assert.ok(!isSignedNotice(signed, Wallet.createRandom().address as Address, domain));
  assert.ok(!isSignedNotice(signed, account, { ...domain, chainId: 1n }));
  assert.ok(!isSignedNotice(signed, account, { ...domain, escrow: account }));
  assert.ok(!isSignedNotice({ notice, signature: `0x${"00".repeat(65)}` }, account, domain));
});

test("the longest notice fits a sealed message", () => {
  for (const letter of ["€", '"', "\n"]) {
    const longest = { ...notice, reason: letter.repeat(512), log: letter.repeat(PART_CHARS) };
    const bytes = encodeNotice(signNotice(wallet, longest, domain));
    assert.ok(bytes.length <= MAX_SEALED_BYTES, `${letter}: ${bytes.length}`);
    assert.deepEqual(decodeNotice(bytes).notice, longest);
  }
});

test("what is malformed or too long is refused", () => {
  const signed = signNotice(wallet, notice, domain);
  const bad = [
    Buffer.alloc(MAX_SEALED_BYTES + 1, 0x20),
    Buffer.from([0xff, 0xfe]),
    Buffer.from("{}"),
    encodeNotice({ ...signed, notice: { ...notice, log: "x".repeat(PART_CHARS + 1) } }),
    encodeNotice({ ...signed, notice: { ...notice, at: -1 } }),
    encodeNotice({ ...signed, notice: { ...notice, code: "sudo" } }),
    encodeNotice({ ...signed, notice: { ...notice, more: 1 } as Notice }),
  ];
  for (const bytes of bad) assert.throws(() => decodeNotice(bytes), code("NOTICE_UNTRUSTED"));
});

test("a shown notice has no control characters", () => {
  const { signature } = signNotice(wallet, notice, domain);
  const loud = { ...notice, reason: "a\u001b[2Jb\nc", log: "x\u001b]0;y\u0007\nz" };
  const { reason, log } = shownNotice({ notice: loud, signature });
  assert.doesNotMatch(reason, /\p{Cc}/u);
  assert.doesNotMatch(log ?? "", /[^\P{Cc}\n]/u);
});
