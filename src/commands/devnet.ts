import { once } from "node:events";
import { join } from "node:path";
import type { DevnetRequest } from "../devnet/devnet.ts";
import type { CommandContext } from "./framework/declaration.ts";

interface Options {
  readonly providers: number;
  readonly validators: number;
  readonly bad?: NonNullable<DevnetRequest["bad"]>;
  readonly direct?: true;
  readonly anvil?: true;
  readonly dir?: string;
}

/** Runs a whole market on this machine until Ctrl-C. */
export async function run({ ui, signal }: CommandContext, _args: object, options: Options): Promise<void> {
  const { startDevnet } = await import("../devnet/devnet.ts");
  const devnet = await startDevnet({
    providers: options.providers,
    validators: options.validators,
    bad: options.bad,
    transport: options.direct ? "direct" : "onion",
    client: options.anvil ? "anvil" : "hardhat",
    dir: options.dir,
    reporter: ui.reporter,
    signal,
  });
  try {
    const { requester, network, dir } = devnet;
    const env = { ICHAIN_HOME: requester.dir, ICHAIN_PASSWORD_FILE: requester.passwordFile };
    ui.print({ event: "ready", dir, network, env, requester: requester.account }, () =>
      [
        `The devnet is up: chain ${network.chainId} at ${network.rpcUrl}, logs in ${dir}.`,
        "In another terminal, act as its requester:",
        ...Object.entries(env).map(([name, value]) => `  export ${name}=${value}`),
        "  ichain providers",
        `  ichain submit ${join("examples", "digits", "job.yaml")} --wait`,
        "Or take jobs in it as a provider of your own, in a terminal without these variables:",
        `  ichain init --role provider --network ${join(dir, "network.yaml")}`,
        "  ichain devnet fund",
        "Its accounts hold a million tUSD each: `pay: {token: tusd}` in a job.yaml pays in it.",
        "Ctrl-C here stops everything.",
      ].join("\n"),
    );
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await devnet.stop();
  }
}
