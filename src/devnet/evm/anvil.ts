import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { childEnvironment } from "../../config.ts";
import { IchainError } from "../../errors/error.ts";
import { DEVNET_BALANCE, DEVNET_MNEMONIC, type EvmNode, type EvmSettings } from "./node.ts";
import { increaseTime } from "./rpc.ts";

const READY = /^Listening on 127\.0\.0\.1:(\d+)/;

/** Foundry's node, a second implementation of the chain that tests run against; a child process. */
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
  // A terminal's Ctrl-C is for us, who end it last.
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
    // Its log is not wanted, but a full pipe would stop it.
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
  return new IchainError("anvil did not start.", {
    code: "DEVNET_EVM_FAILED",
    class: "unavailable",
    hint: "Check that the npm package @foundry-rs/anvil is installed for this system.",
    cause,
  });
}
