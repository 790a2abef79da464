import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Wallet } from "ethers";
import { parse } from "yaml";
import { deploy as deployMarket } from "../../src/chain/deploy.ts";
import { verifyCode } from "../../src/chain/deployment/verify-code.ts";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import { importKey } from "../../src/chain/wallet.ts";
import { type NetworkConfig, networkSchema } from "../../src/config/network-schema.ts";
import { startEvm } from "../../src/devnet/evm/evm.ts";
import type { EvmClient, EvmNode } from "../../src/devnet/evm/node.ts";
import { isIchainError } from "../../src/errors/error.ts";
import { ichainRun } from "../support/binary.ts";
import { controls } from "../support/chain/evm.ts";
import { makeCertificates } from "../support/sandbox/certificates.ts";

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`deploying for good on ${client}`, () => {
    let node: EvmNode;
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "ichain-deploy-"));
      node = await startEvm({ client });
      const { keystoreJson } = await importKey(node.accounts[0]!.privateKey, "correct horse", {
        light: true,
      });
      await mkdir(join(folder, "home"));
      await writeFile(join(folder, "home", "keystore.json"), keystoreJson);
    });
    after(async () => {
      await node.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const command = (...args: string[]) => commandWith({}, ...args);
    const commandWith = async (own: Readonly<Record<string, string>>, ...args: string[]) => {
      const env = { ICHAIN_HOME: join(folder, "home"), ICHAIN_PASSWORD: "correct horse", ...own };
      const { code, stdout, stderr } = await ichainRun([...args, "--json", "--quiet"], env);
      return { code, stderr: stdout + stderr, said: code === 0 ? JSON.parse(stdout) : undefined };
    };
    const deploy = async (): Promise<NetworkConfig> => {
      const flags = ["--name", "test", "--rpc", node.rpcUrl, "--confirmations", "1"];
      const { code, stderr, said } = await command("network", "deploy", ...flags);
      assert.equal(code, 0, stderr);
      return networkSchema.parse(parse(await readFile(said.file, "utf8")));
    };

    test("writes the network's file; a second deployment changes nothing", async () => {
      const first = await deploy();
      const { nonce, height } = controls(node);
      const account = new Wallet(node.accounts[0]!.privateKey).address;
      const [nonceBefore, heightBefore] = [await nonce(account), await height()];
      assert.equal(first.contracts.block, 1);
      assert.deepEqual(await deploy(), first);
      assert.deepEqual([await nonce(account), await height()], [nonceBefore, heightBefore]);
    });

    test("other code than this checkout's is noticed", async () => {
      const { contracts } = await deploy();
      const rpc = connectRpc(node.rpcUrl);
      await verifyCode(rpc, contracts.escrow, "JobEscrow");
      await assert.rejects(verifyCode(rpc, contracts.registry, "JobEscrow"), (error) =>
        isIchainError(error, "DEPLOY_UNVERIFIED"),
      );
    });

    test("a network is added when its contracts are these and name one another, and not otherwise", async () => {
      const network = await deploy();
      const source = join(folder, "offered.json");
      const offer = async (name: string, change: object) => {
        await writeFile(source, JSON.stringify({ ...network, name, ...change }));
        const { code, stderr } = await command("network", "add", source);
        return code === 0 ? "added" : stderr;
      };
      assert.equal(await offer("sound", {}), "added");
      assert.match(await offer("sound", {}), /NETWORK_EXISTS/);
      assert.match(await offer("other-chain", { chainId: 10 }), /CHAIN_MISMATCH/);
      const { contracts } = network;
      const { federated: _, ...fewer } = contracts;
      assert.match(await offer("fewer", { contracts: fewer }), /DEPLOY_UNVERIFIED/);
      const wallet = new Wallet(node.accounts[1]!.privateKey);
      const second = await deployMarket({ rpcUrl: node.rpcUrl, wallet });
      const mixed = { ...contracts, rating: second.rating };
      assert.match(await offer("mixed", { contracts: mixed }), /DEPLOY_UNVERIFIED/);
      const foreign = { ...contracts, campaigns: second.campaigns };
      assert.match(await offer("foreign", { contracts: foreign }), /DEPLOY_UNVERIFIED/);
      const { said } = await command("network", "list");
      assert.deepEqual(
        said.networks.map(({ name }: NetworkConfig) => name),
        ["sound", "test"],
      );
    });

    if (client === "anvil")
      test("a network is fetched over https, from a host that its certificate names, with bounds", async (t) => {
        const network = await deploy();
        const { chainId, rpcUrl } = network;
        makeCertificates(folder);
        const [key, cert] = await Promise.all(
          ["server.key", "server.pem"].map((name) => readFile(join(folder, name))),
        );
        const text = (name: string, change: object = {}) => JSON.stringify({ ...network, name, ...change });
        const { registry, escrow } = network.contracts;
        const swapped = { ...network.contracts, registry: escrow, escrow: registry };
        const files: Readonly<Record<string, string>> = {
          "/market.yaml": text("fetched"),
          "/large.yaml": text("large") + " ".repeat(300 * 1024),
          "/other-code.yaml": text("other-code", { contracts: swapped }),
          "/torrc.yaml": text("torrc", { torrc: ["ControlPort 1"] }),
        };
        const server = createServer({ key, cert }, ({ url = "" }, response) => {
          if (url === "/moved.yaml") response.writeHead(302, { location: "http://127.0.0.1:1/market.yaml" });
          else if (files[url] === undefined) response.writeHead(404);
          response.end(files[url]);
        });
        await once(server.listen(0, "127.0.0.1"), "listening");
        t.after(() => server.close());
        const { port } = server.address() as AddressInfo;
        const add = (name: string, env: Readonly<Record<string, string>>) =>
          commandWith(env, "network", "add", `https://127.0.0.1:${port}/${name}.yaml`);
        const trusting = { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
        const refusals = await Promise.all([
          add("market", {}), // by a certificate that this machine does not know
          ...["moved", "large", "missing", "other-code", "torrc"].map((name) => add(name, trusting)),
        ]);
        const codes = refusals.map(({ stderr }) => /[A-Z]+_[A-Z_]+/.exec(stderr)?.[0]);
        const unreachable = Array(4).fill("NETWORK_UNREACHABLE");
        assert.deepEqual(codes, [...unreachable, "DEPLOY_UNVERIFIED", "CONFIG_INVALID"]);
        const { said, stderr } = await add("market", trusting);
        assert.deepEqual([said?.name, said?.chainId, said?.verified], ["fetched", chainId, true], stderr);
        const kept = await readFile(join(folder, "home", "networks", "fetched.yaml"), "utf8");
        assert.equal(networkSchema.parse(parse(kept)).rpcUrl, rpcUrl);
      });
  });
}
