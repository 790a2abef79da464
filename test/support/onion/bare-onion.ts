import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { connectThroughTor } from "../../../src/transfer/onion/reading/socks.ts";
import { bootstrapped } from "../../../src/transfer/onion/tor/bootstrap.ts";
import { startTorProcess } from "../../../src/transfer/onion/tor/process.ts";
import type { LaneDialer } from "../../../src/transfer/pieces/lane-dialer.ts";

export interface BareTor {
  readonly socksPort: number;
  /** For programs with a control client of their own; `dir` must be short. */
  readonly controlSocket: string;
  /** Publishes an onion for a port of this machine; resolves with its 56 characters once a directory has it. */
  publish(port: number): Promise<string>;
  /** Lanes to an onion without client authorisation. */
  dialer(address: string): LaneDialer;
  stop(): Promise<void>;
}

/** One tor with a SOCKS port, for onions without client authorisation and for other programs than ichain. */
export async function startBareTor(dir: string, networkTorrc: string): Promise<BareTor> {
  const torrc = [...networkTorrc.split("\n"), "SocksPort 127.0.0.1:auto"];
  const { control, stop } = await startTorProcess({ binary: "tor", dir: join(dir, "tor"), torrc });
  await bootstrapped(control);
  const port = async (kind: string) =>
    Number(/:(\d+)"/.exec(await control.info(`net/listeners/${kind}`))?.[1]);
  const socksPort = await port("socks");
  return {
    socksPort,
    controlSocket: join(dir, "tor", "control"),
    async publish(target) {
      const done = new AbortController();
      const events = control.events("HS_DESC", { signal: done.signal });
      const [line] = await control.command(
        `ADD_ONION NEW:ED25519-V3 Flags=DiscardPK Port=80,127.0.0.1:${target}`,
      );
      const address = line!.replace("ServiceID=", "");
      for await (const [event] of events) if (event.address === address && event.action === "UPLOADED") break;
      done.abort();
      return address;
    },
    dialer: (address) => ({
      host: `${address}.onion`,
      connect: (lane, io) =>
        connectThroughTor(
          {
            socks: { host: "127.0.0.1", port: socksPort },
            credentials: `${randomUUID()}/${lane}`,
            host: `${address}.onion`,
            port: 80,
          },
          io,
          () => {},
        ),
    }),
    stop,
  };
}
