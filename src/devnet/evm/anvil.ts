import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { childEnvironment } from "../../config.ts";
import { IchainError } from "../../errors/error.ts";
import { DEVNET_BALANCE, DEVNET_MNEMONIC, type EvmNode, type EvmSettings, increaseTime } from "./node.ts";

const READY = /^Listening on 127\.0\.0\.1:(\d+)/;

/**
 * Foundry's node as a child process: a second implementation of the EVM for tests.
 * @throws DEVNET_EVM_FAILED
 */
export async function startAnvil(settings: EvmSettings): Promise<EvmNode> {
  const args = [
    "--host",
    "127.0.0.1",
    "--port",
    String(settings.port),
    "--chain-id",
    String(settings.chainId),
  ];
  args.push("--mnemonic", DEVNET_MNEMONIC, "--accounts", String(settings.accounts.length));
  args.push("--balance", String(DEVNET_BALANCE / 10n ** 18n));
  if (settings.blockSeconds > 0) args.push("--block-time", String(settings.blockSeconds));
  // Detached, so that a terminal's Ctrl-C does not end it before us.
  const child = spawn(binary(), args, {
    env: childEnvironment(),
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    process.removeListener("exit", kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    kill();
    await exited;
  };
  try {
    const rpcUrl = `http://127.0.0.1:${await listening(child, settings.signal)}`;
    return {
      client: "anvil",
      rpcUrl,
      chainId: settings.chainId,
      accounts: settings.accounts,
      increaseTime: (seconds) => increaseTime(rpcUrl, seconds),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listening(child: ChildProcess, signal: AbortSignal | undefined): Promise<number> {
  if (child.pid === undefined) throw failed((await once(child, "error"))[0]);
  const lines = createInterface({ input: child.stdout!, signal });
  for await (const line of lines) {
    const port = READY.exec(line)?.[1];
    if (port === undefined) continue;
    // Discard its log: a full pipe would block it.
    child.stdout!.resume();
    return Number(port);
  }
  signal?.throwIfAborted();
  throw failed(undefined);
}

function binary(): string {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  try {
    return createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/anvil`);
  } catch (cause) {
    throw failed(cause);
  }
}

function failed(cause: unknown): IchainError {
  return new IchainError("DEVNET_EVM_FAILED", "anvil did not start.", { cause });
}
