import { join } from "node:path";
import { type Abortable, linkSignals } from "../async/abort.ts";
import type { AppContext } from "../context.ts";
import type { DaemonView } from "../control/control.ts";
import { IchainError } from "../errors/error.ts";
import type { Model } from "../protocol/federated/model-file.ts";
import { formatPeerAddress } from "../protocol/gossip/address.ts";
import { genesisOf } from "../protocol/gossip/genesis.ts";
import type { GossipPeerFile } from "../protocol/gossip/peer-file.ts";
import type { AveragingRule } from "../protocol/gossip/rules/rule.ts";
import type { Address } from "../protocol/ids.ts";
import { type OpenedPeer, openPeer, type PeerRequest } from "../roles/gossip/running/open-peer.ts";
import type { PeerEvent } from "../roles/gossip/running/run-peer.ts";
import { programVersion } from "../version.ts";
import { examineDisk, examineEngine, examineTor } from "./health.ts";
import { asDaemon } from "./run.ts";

export interface GossipRequest {
  readonly file: GossipPeerFile;
  /** Where the file lies. */
  readonly folder: string;
  readonly start: Model;
  readonly rule: AveragingRule;
}

/** What a peer's process tells, an event a line. */
export type GossipLine =
  | PeerEvent
  | {
      readonly event: "ready";
      readonly account: string;
      readonly address: string;
      readonly store: string;
      readonly blocks: number;
    }
  | { readonly event: "neighbour"; readonly account: Address; readonly answers: boolean }
  | ({ readonly event: "ended"; readonly blocks: number } & Pick<OpenedPeer["running"], "refused" | "cpu"> & {
        readonly accuracy?: number;
      });

/**
 * Takes part in a gossip network until the signal aborts, or its owner ends it; `ichain gossip run`.
 * @throws HOME_BUSY, LOG_UNWRITABLE, and the codes of `openPeer`
 */
export async function runGossip(
  context: AppContext,
  { file, folder, start, rule }: GossipRequest,
  tell: (line: GossipLine) => void,
): Promise<void> {
  await asDaemon(context, "peer", async (daemon) => {
    const { config, control, logger, ui } = daemon;
    using either = linkSignals([daemon.signal, control.draining]);
    const { signal } = either;
    await using stack = new AsyncDisposableStack();
    const { openGossipParts, openGossipStore } = await import("../compose.ts");
    const parts = await openGossipParts({ ...daemon, signal }, logger);
    const transport = stack.adopt(parts.transport, (one) => one.stop());
    await transport.start({ signal });
    const dir = join(config.home, "gossip", file.name);
    const path = join(dir, "peer.db");
    const store = stack.use(await openGossipStore(path, genesisOf(file.name, start)));
    const request: PeerRequest = {
      ...{ file, folder, start, rule, dir, home: config.home, store, reporter: ui.reporter },
      ...{ key: parts.key, transport, sandbox: parts.sandbox, hashBlob: parts.hashBlob },
      tell,
      heard: (account, answers) => tell({ event: "neighbour", account, answers }),
    };
    const opened = await openPeer(request, { signal });
    const { account } = opened.address;
    control.show(viewOfPeer(request, opened));
    logger.info("The daemon started", { peer: true, account, version: programVersion() });
    const { running } = opened;
    const address = formatPeerAddress(opened.address);
    try {
      await opened.run({ signal }, () =>
        tell({ event: "ready", account, address, store: path, blocks: running.height }),
      );
    } catch (error) {
      // A drain ends the peer without a word: it has no jobs.
      if (daemon.signal.aborted || !control.draining.aborted) throw error;
    } finally {
      const { accuracy, refused, cpu, height: blocks } = running;
      tell({ event: "ended", blocks, ...(accuracy !== undefined && { accuracy }), refused, cpu });
    }
  });
}

function viewOfPeer(
  { home, sandbox, transport }: PeerRequest,
  { address, running, neighbours }: OpenedPeer,
): DaemonView {
  const all = () => neighbours.accounts.length;
  const found = () => {
    const accuracy = running.accuracy === undefined ? "" : `, accuracy ${running.accuracy.toFixed(3)}`;
    return `${neighbours.answering} of ${all()} answer; ${running.height} blocks${accuracy}`;
  };
  return {
    account: address.account,
    roles: [],
    unfinished: () => [],
    health: async (options: Abortable) => [
      ...(await examineDisk(home, undefined)),
      ...(await examineEngine({ sandbox }, [], options)),
      ...examineTor({ transport }),
      { name: "neighbours", ok: all() === 0 || neighbours.answering > 0, found: found() },
    ],
    earnings: async () => [],
    reload: async () => {
      throw new IchainError("CONTROL_REFUSED", "A gossip peer has no policy.", {
        hint: "Start it again: it reads gossip.yaml when it starts.",
      });
    },
  };
}
