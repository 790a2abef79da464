import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { SigningKey } from "ethers";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { PeerStore } from "../../../ports/gossip.ts";
import type { Reporter } from "../../../ports/reporter.ts";
import type { Sandbox } from "../../../ports/sandbox.ts";
import type { Blob, Transport } from "../../../ports/transport.ts";
import { type Model, writeModel } from "../../../protocol/federated/model-file.ts";
import { formatPeerAddress, type PeerAddress } from "../../../protocol/gossip/address.ts";
import { genesisDigest, genesisOf } from "../../../protocol/gossip/genesis.ts";
import { GossipPeer } from "../../../protocol/gossip/peer/peer.ts";
import type { GossipPeerFile } from "../../../protocol/gossip/peer-file.ts";
import { recordChecker, recordSigner } from "../../../protocol/gossip/records/signatures.ts";
import type { AveragingRule } from "../../../protocol/gossip/rules/rule.ts";
import type { Address } from "../../../protocol/ids.ts";
import { pinImage } from "../../../protocol/task/spec.ts";
import { checkedFolder } from "../../federated/market/provider/own-data.ts";
import { ModelFiles } from "./model-files.ts";
import { Neighbours } from "./neighbours.ts";
import { ownAddress } from "./own-address.ts";
import { OwnModelFile } from "./own-model.ts";
import { type PeerEvent, RunningPeer } from "./run-peer.ts";
import { TaskLearner } from "./task-learner.ts";

/** Signatures that are remembered, some 500 bytes each. */
const CHECKED = 10_000;

export interface OpenedPeer {
  readonly address: PeerAddress;
  readonly running: RunningPeer;
  readonly neighbours: Neighbours;
  /** Works until the signal aborts; calls `hosted` once others can reach it. */
  run(options: Abortable, hosted: () => void): Promise<void>;
}

export interface PeerRequest {
  readonly file: GossipPeerFile;
  /** Where the file lies. */
  readonly folder: string;
  readonly start: Model;
  readonly rule: AveragingRule;
  /** The peer's own folder, private. */
  readonly dir: string;
  readonly home: string;
  readonly key: SigningKey;
  /** Started. */
  readonly transport: Transport;
  readonly sandbox: Sandbox;
  readonly store: PeerStore;
  readonly hashBlob: (path: string) => Promise<Blob>;
  readonly reporter: Reporter;
  tell(event: PeerEvent): void;
  heard(account: Address, answers: boolean): void;
}

/**
 * Makes a peer of its parts and of what an earlier process kept.
 * @throws GOSSIP_PEER_INVALID, OWN_DATA_UNUSABLE, DATA_UNREADABLE, DATA_INVALID, IMAGE_UNKNOWN, GPU_ABSENT, GPU_BUSY
 */
export async function openPeer(request: PeerRequest, { signal }: Abortable): Promise<OpenedPeer> {
  const { file, folder, start, rule, dir, home, key, transport, sandbox, store, hashBlob, reporter } =
    request;
  const genesis = genesisDigest(genesisOf(file.name, start));
  const { address, identity, guestKey } = await ownAddress(key, genesis, transport);
  refuseAlone(file);
  refuseOtherTransport(file, transport.name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const startPath = join(dir, "start.safetensors");
  await writeFile(startPath, writeModel(start), { mode: 0o600 });
  const common = await hashBlob(startPath);
  const learner = await TaskLearner.open(
    {
      ...{ sandbox, file, folder },
      input: join(dir, "in"),
      image: await imageOf(sandbox, file.image, { signal }),
      gpus: await gpusFor(sandbox, file, { signal }),
      dataDir:
        file.data === undefined || file.observer
          ? undefined
          : await checkedFolder(resolve(folder, file.data), home, { signal }),
    },
    { signal },
  );
  const models = new ModelFiles(join(dir, "models"), start, {
    ...{ transport, hashBlob, packing: file.compressed },
  });
  await models.open(file.gossip.expire, Math.floor(Date.now() / 1000));
  const peer = new GossipPeer({
    ...{ genesis, signer: recordSigner(genesis, key), checker: recordChecker(genesis, CHECKED) },
    ...{ settings: file.gossip, rule, state: store.state() },
  });
  const own = await OwnModelFile.open(join(dir, "model.safetensors"), start);
  const neighbours = await Neighbours.open({
    ...{ key, genesis, own: address, file, root: common.root, transport },
    path: join(dir, "neighbours.json"),
    take: (from, record) => running.take(from, record, { signal }),
    changed: (accounts) => peer.meet(accounts),
    heard: request.heard,
  });
  peer.meet(neighbours.accounts);
  const running = new RunningPeer({
    ...{
      file,
      peer,
      store,
      neighbours,
      models,
      own,
      learner,
      shown: join(dir, "shown"),
      reporter,
      tell: request.tell,
    },
  });
  return {
    ...{ address, running, neighbours },
    async run(options, hosted) {
      const hosting = await transport.host(
        {
          ...{ identity, blobs: [common], readers: [], guestKey },
          onNotice: (_root, notice) => neighbours.hear(notice),
        },
        options,
      );
      try {
        await models.serve(hosting);
        hosted();
        await running.run(hosting, options);
      } finally {
        await hosting.stop();
      }
    },
  };
}

/** @throws GOSSIP_PEER_INVALID */
function refuseAlone({ peers, introducer, strangers }: GossipPeerFile): void {
  if (peers.length > 0 || introducer !== undefined || strangers > 0) return;
  throw new IchainError("GOSSIP_PEER_INVALID", "No neighbour can come.", {
    hint: "Name `peers` or an `introducer` in gossip.yaml, or let `strangers` in.",
  });
}

/** @throws GOSSIP_PEER_INVALID */
function refuseOtherTransport({ peers, introducer }: GossipPeerFile, transport: string): void {
  const other = [...peers, ...(introducer ? [introducer] : [])].find(
    ({ endpoint }) => endpoint.transport !== transport,
  );
  if (other === undefined) return;
  throw new IchainError(
    "GOSSIP_PEER_INVALID",
    `The address ${formatPeerAddress(other).slice(0, 80)}… is of the ${other.endpoint.transport} transport, and this home's is ${transport}.`,
    {
      hint: "All peers of a network use one transport: set `transport` in config.yaml, or name other peers.",
    },
  );
}

/** @throws IMAGE_UNKNOWN */
async function imageOf(sandbox: Sandbox, name: string, { signal }: Abortable): Promise<string> {
  const { images } = await sandbox.probe({ signal });
  const pinned = pinImage(
    name,
    (wanted) => images.find((one) => one.name === wanted || one.digest === wanted)?.digest,
  );
  if (typeof pinned === "string") return pinned;
  throw new IchainError("IMAGE_UNKNOWN", `This machine has no runtime image ${name}.`);
}

async function gpusFor(
  sandbox: Sandbox,
  { resources: { gpus, gpu } }: GossipPeerFile,
  { signal }: Abortable,
): Promise<readonly string[]> {
  if (gpus === 0) return [];
  return await sandbox.reserve("gossip", { count: gpus, ...(gpu && { demand: gpu }) }, { signal });
}
