import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import { IchainError } from "../../errors/error.ts";
import { DEVNET_BALANCE, type EvmNode, type EvmSettings, increaseTime } from "./node.ts";

const packageRoot = fileURLToPath(new URL("../../../", import.meta.url));

/** How long the server's last connections are waited for, milliseconds. */
const STOP_MS = 5_000;
const CLOCK_LEAD_MS = 2_000;

/**
 * Hardhat's EVM inside this process (its work runs on native threads), configured here and not from
 * hardhat.config.ts: it starts in a third of a second and ends with this process.
 * @throws DEVNET_EVM_FAILED
 */
export async function startHardhat(settings: EvmSettings): Promise<EvmNode> {
  const hre = await createHardhatRuntimeEnvironment(
    {
      // No build information lies there: reading what the tests' contracts left takes Hardhat 2 s, for stack traces.
      paths: { artifacts: "artifacts/contracts" },
      networks: {
        devnet: {
          type: "edr-simulated",
          chainType: "l1",
          chainId: settings.chainId,
          accounts: settings.accounts.map(({ privateKey }) => ({ privateKey, balance: DEVNET_BALANCE })),
          mining: { auto: settings.blockSeconds === 0, interval: settings.blockSeconds * 1000 },
          // Its clock drops fractions of a second twice: without a lead it would lag behind the wall clock.
          initialDate: new Date(Date.now() + CLOCK_LEAD_MS),
          // Otherwise many transactions in one second would push the chain's time past the wall clock.
          allowBlocksWithSameTimestamp: true,
        },
      },
    },
    {},
    packageRoot,
  );
  if (settings.port !== 0) await assertFree(settings.port);
  settings.signal?.throwIfAborted();
  const server = await hre.network.createServer("devnet", "127.0.0.1", settings.port);
  const { port } = await server.listen();
  const rpcUrl = `http://127.0.0.1:${port}`;
  let stopped: Promise<void> | undefined;
  return {
    client: "hardhat",
    rpcUrl,
    chainId: settings.chainId,
    accounts: settings.accounts,
    increaseTime: (seconds) => increaseTime(rpcUrl, seconds),
    stop: () => {
      // It waits for clients that go on asking, who may never end.
      stopped ??= Promise.race([server.close(), delay(STOP_MS, undefined, { ref: false })]);
      return stopped;
    },
  };
}

/** Hardhat's server has no error path: a port in use would end the process. */
async function assertFree(port: number): Promise<void> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (cause) {
    throw new IchainError(
      "DEVNET_EVM_FAILED",
      `Port ${port} on 127.0.0.1 cannot be used for the devnet's chain.`,
      { hint: "Choose another port, or leave it out to get a free one.", cause },
    );
  } finally {
    probe.close();
  }
}
