import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Interface } from "ethers";
import type { z } from "zod";
import type { openedOutput } from "../../src/commands/output/job.ts";
import { type Address, ZERO_ADDRESS } from "../../src/protocol/ids.ts";
import { digits, gasPaid, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

describe("a job over Tor, from submit to rated result", needs("root", "docker", "tor", "long"), () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket | undefined;
  let jobId = "";
  let out = "";
  let before_: { provider: bigint; block: number };

  before(async () => {
    market = await startTestMarket({ after: (fn) => void cleanup.push(fn as () => unknown) });
    out = join(market.dir, "opened");
    const provider = market.providers[0]!.account;
    before_ = {
      provider: await market.chain.getBalance(provider),
      block: await market.chain.getBlockNumber(),
    };
  });
  after(async () => {
    for (const one of cleanup) await one();
  });

  it(
    "ends Settled with the opened result in the folder that was asked for",
    needs("root", "docker", "tor"),
    async () => {
      const result = await market!.ichain([
        "submit",
        digits,
        "--provider",
        "best",
        "--validator",
        "best",
        "--wait",
        "--out",
        out,
      ]);
      jobId = String(result.jobId);
      assert.equal(result.state, "Settled");
      assert.equal(result.verdict, "pass");
      assert.deepEqual(result.files, ["model.safetensors"]);
      assert.ok((await readFile(join(out, "model.safetensors"))).length > 1000);
      const { tensorFiles, pickles, damaged } = result as unknown as z.infer<typeof openedOutput>;
      assert.deepEqual([pickles, damaged], [[], []]);
      const [{ file, count, elements }, ...others] = tensorFiles as [(typeof tensorFiles)[0]];
      assert.deepEqual([file, count, elements, others.length], ["model.safetensors", 6, 4938, 0]);
    },
  );

  it(
    "pays the provider exactly the price, and leaves nothing of the job in the escrow",
    needs("root", "docker", "tor"),
    async () => {
      const { chain, providers, validators, requester, network } = market!;
      const job = await market!.ichain(["job", jobId]);
      const { price, validatorFee } = job.terms as { price: string; validatorFee: string };
      await settledBalances(market!, [providers[0]!.account, validators[0]!.account, requester.account]);
      const paid = gasPaid(await market!.transactions(before_.block + 1), providers[0]!.account);
      assert.equal(await chain.getBalance(providers[0]!.account), before_.provider + BigInt(price) - paid);
      assert.equal(await chain.getBalance(network.contracts.escrow), 0n);
      assert.ok(BigInt(price) > 0n && BigInt(validatorFee) > 0n);
    },
  );

  it("shows the chain no plaintext and no onion address", async () => {
    const seen = Buffer.concat(
      (await market!.transactions()).flatMap(({ tx, receipt }) => [
        Buffer.from(tx.data.slice(2), "hex"),
        ...receipt.logs.map(({ data, topics }) =>
          Buffer.from(data.slice(2) + topics.join("").replaceAll("0x", ""), "hex"),
        ),
      ]),
    );
    assert.ok(seen.length > 2000);
    const source = await readFile(digits.replace("job.yaml", "task.py"));
    const secrets = [
      source.subarray(0, 24),
      Buffer.from("model.safetensors"),
      Buffer.from("task.py"),
      Buffer.from(".onion"),
    ];
    for (const secret of secrets) assert.equal(seen.indexOf(secret), -1, secret.toString());
    const kept = join(market!.dir, "kept");
    await market!.ichain(["get", jobId, "--parcel", "-o", kept]);
    const key = Buffer.from((await readFile(join(kept, "key.txt"), "utf8")).trim().slice(2), "hex");
    assert.equal(key.length, 32);
    assert.equal(seen.indexOf(key), -1, "the session key");
    for (const { address, key } of await onions(market!)) {
      assert.equal(seen.indexOf(address), -1);
      assert.equal(seen.indexOf(key), -1);
    }
  });

  it(
    "opens the result again into another folder, and never over one that exists",
    needs("root", "docker", "tor"),
    async () => {
      const again = join(market!.dir, "again");
      await market!.ichain(["get", jobId.slice(2, 12), "-o", again]);
      assert.deepEqual(
        await readFile(join(again, "model.safetensors")),
        await readFile(join(out, "model.safetensors")),
      );
      const refused = await market!.attempt(["get", jobId, "-o", again]);
      assert.equal(refused.code, 2);
      assert.equal(errorCode(refused.stdout), "TARGET_EXISTS");
    },
  );

  it("is rated once", async () => {
    await market!.ichain(["rate", jobId, "4"]);
    const providers = await market!.ichain(["providers"]);
    const [offer] = providers.providers as { ratingAsProvider: { count: number; sum: number } }[];
    assert.equal(offer?.ratingAsProvider.count, 1);
    assert.equal(offer?.ratingAsProvider.sum, 4);
  });

  it(
    "keeps the provider's run report and log for the requester",
    needs("root", "docker", "tor"),
    async () => {
      const folder = join(market!.requester.dir, "jobs", "requester", jobId.slice(2), "report");
      assert.match(await readFile(join(folder, "log.txt"), "utf8"), /acc: 0\.9/);
    },
  );

  it("takes the next job with the same daemons", async () => {
    const next = join(market!.dir, "next");
    const result = await market!.ichain(["submit", digits, "--wait", "--out", next]);
    assert.equal(result.state, "Settled");
    assert.notEqual(result.jobId, jobId);
  });

  it("refuses a job whose input does not exist", async () => {
    const folder = join(market!.dir, "broken");
    await market!.ichain(["wallet", "address"]);
    await rm(folder, { recursive: true, force: true });
    const file = `${folder}.yaml`;
    await writeFile(file, (await readFile(digits, "utf8")).replace("task.py]\noutputs", "gone.py]\noutputs"));
    const refused = await market!.attempt(["submit", file]);
    assert.equal(refused.code, 2);
    assert.equal(errorCode(refused.stdout), "INPUT_MISSING");
  });
});

function errorCode(stdout: string): unknown {
  return (lastJson(stdout).error as { code?: unknown }).code;
}

/** Waits until the escrow owes these accounts nothing: payouts are pulled by the daemons. */
async function settledBalances({ network, chain }: TestMarket, accounts: readonly Address[]): Promise<void> {
  for (const account of accounts) {
    for (;;) {
      const owed = await chain.call({
        to: network.contracts.escrow,
        data: owedCall(account),
      });
      if (BigInt(owed) === 0n) break;
      await new Promise((resolve) => chain.once("block", resolve));
    }
  }
}

const owedInterface = new Interface(["function owed(address,address) view returns (uint256)"]);
function owedCall(account: Address): string {
  return owedInterface.encodeFunctionData("owed", [account, ZERO_ADDRESS]);
}

/** Every onion address that hosted in this devnet, as text and as the 32-byte key it stands for. */
async function onions({ requester }: TestMarket): Promise<{ address: Buffer; key: Buffer }[]> {
  const { openJournal } = await import("../../src/journal/journal.ts");
  const journal = openJournal(join(requester.dir, "journal.db"));
  try {
    return journal.undertakings({ role: "requester" }).flatMap(({ key }) => {
      const record = journal.open("requester", key);
      const bundle = record.outcome<{ identity: { endpoint: { address: string } } }>("draft")?.identity
        .endpoint;
      const result = record.outcome<{ locator: { result: { address: string } } }>("collect")?.locator.result;
      return [bundle, result].flatMap((endpoint) =>
        endpoint ? [{ address: Buffer.from(endpoint.address), key: onionKey(endpoint.address) }] : [],
      );
    });
  } finally {
    journal.close();
  }
}

/** base32 → the first 32 bytes: the onion's public key (rend-spec-v3, 6). */
function onionKey(address: string): Buffer {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const bits = [...address].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(
    bits
      .slice(0, 256)
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
}
