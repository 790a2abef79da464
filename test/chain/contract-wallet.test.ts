import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Contract, ContractFactory, JsonRpcProvider, Wallet } from "ethers";
import { artifactOf } from "../../src/chain/abi/artifacts.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { Market } from "../../src/ports/market.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { startChain, type TestChain } from "../support/chain/chain.ts";
import { compile } from "../support/chain/compile.ts";
import { random32 } from "../support/chain/terms.ts";

const untrusted = (error: unknown) => isIchainError(error, "OFFER_KEYS_UNTRUSTED");

/** The binding of keys to an account, as wallets that are contracts sign it (ERC-1271). */
const KEYS = {
  Keys: [
    { name: "account", type: "address" },
    { name: "fingerprint", type: "bytes32" },
    { name: "onionKey", type: "bytes32" },
  ],
};

describe("the offer of a wallet that is a contract", () => {
  let chain: TestChain;
  let provider: JsonRpcProvider;
  let [owner, other] = [] as unknown as [Wallet, Wallet];
  let wallet: Contract;
  let account: Address;
  let reader: Market;
  before(async () => {
    chain = await startChain();
    const { node, addresses } = chain;
    provider = new JsonRpcProvider(node.rpcUrl, node.chainId, { staticNetwork: true, cacheTimeout: -1 });
    [owner, other] = [3, 4].map((i) => new Wallet(node.accounts[i]!.privateKey, provider)) as [
      Wallet,
      Wallet,
    ];
    const { abi, bytecode } = compile("test/contracts/support/Wallets.sol", "ContractWallet");
    const deployed = await new ContractFactory(abi, bytecode, owner).deploy(owner.address);
    await deployed.waitForDeployment();
    account = (await deployed.getAddress()) as Address;
    wallet = new Contract(account, abi, owner);
    reader = chain.market(undefined);

    const keys = { fingerprint: random32(), onionKey: random32() };
    const domain = {
      name: "ichain",
      version: "1",
      chainId: node.chainId,
      verifyingContract: addresses.registry,
    };
    const signature = await owner.signTypedData(domain, KEYS, { account, ...keys });
    const details = Buffer.from(
      JSON.stringify({ version: 1, tier: "runc", cpus: 1, memoryBytes: 1, diskBytes: 1, images: [] }),
    );
    const draft = { provider: true, validator: false, priceFloor: 1n, feeFloor: 1n, ...keys, details };
    const registry = artifactOf("ProviderRegistry").abi;
    const data = registry.encodeFunctionData("publish", [{ ...draft, openpgpKey: "0x00" }, signature]);
    await (await wallet.getFunction("act")(addresses.registry, 0, data)).wait();
  });
  after(() => {
    provider.destroy();
    return chain.stop();
  });

  it("is believed while the contract stands by the signature", async () => {
    assert.equal((await reader.offer(account))?.account, account);
  });

  it("is not believed once it stands by it no more, and is again when it does", async () => {
    await (await wallet.getFunction("pass")(other.address)).wait();
    await assert.rejects(reader.offer(account), untrusted);
    await (await wallet.getFunction("pass")(owner.address)).wait();
    assert.equal((await reader.offer(account))?.account, account);
  });
});
