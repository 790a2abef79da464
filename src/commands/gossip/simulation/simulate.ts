import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { openGossipStore } from "../../../compose.ts";
import { parseYaml } from "../../../config/yaml.ts";
import { IchainError } from "../../../errors/error.ts";
import type { PeerStore } from "../../../ports/gossip.ts";
import type { Genesis } from "../../../protocol/gossip/genesis.ts";
import { isPacked } from "../../../protocol/gossip/packed-model.ts";
import type { Kept } from "../../../protocol/gossip/peer/state.ts";
import {
  type GossipSimulationFile,
  gossipSimulationSchema,
} from "../../../protocol/gossip/simulation-file.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { loadTrialData } from "../../../roles/federated/data/load.ts";
import { loadAveragingRule } from "../../../roles/gossip/load-rule.ts";
import { GossipSimulation, type NetworkSample } from "../../../roles/gossip/simulation/simulate.ts";
import { makeTopology } from "../../../roles/gossip/simulation/topology.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { drawAccuracy } from "./curve.ts";
import { describePlayed, describeSample, playedOf } from "./played.ts";

const MAX_BYTES = 1 << 20;

/** Plays a network of gossip peers in this process: a line every so often, and in the end a table of the peers. */
export async function run(
  { ui, signal }: CommandContext,
  args: { file: string },
  options: { seed?: string; rule?: string; plot?: string; chains?: string; models?: boolean },
): Promise<void> {
  const file = await loadSimulationFile(args.file, options);
  const folder = dirname(resolve(args.file));
  const { data: rows, seed } = file.simulation;
  // A rule that the command line names by a path is relative to where the command is run.
  const rule = await loadAveragingRule(file.gossip.rule, options.rule === undefined ? folder : process.cwd());
  const topology = await makeTopology(file, folder);
  const data = await loadTrialData({ simulation: { ...rows, seed } }, folder);
  using chains = options.chains === undefined ? undefined : await ChainFolder.make(options.chains);
  const keep = chains && ((node: number, kept: readonly Kept[]) => chains.add(node, kept));
  const keepModel =
    chains && options.models ? (model: Hex, bytes: Uint8Array) => chains.addModel(model, bytes) : undefined;
  const kept = { ...(keep && { keep }), ...(keepModel && { keepModel }) };
  const simulation = new GossipSimulation(file, data, { topology, rule, signal, ...kept });
  await chains?.open(simulation.world.nodes.length, simulation.world.genesis);
  const samples: NetworkSample[] = [];
  for (const sample of simulation.play()) {
    samples.push(sample);
    chains?.write();
    ui.stream({ event: "sample", ...sample }, `${describeSample(sample)}\n`);
  }
  if (options.plot !== undefined) await writeFile(options.plot, drawAccuracy(samples));
  const played = {
    ...playedOf(file, simulation, samples),
    ...(options.plot !== undefined && { plot: resolve(options.plot) }),
    ...(chains !== undefined && { chains: chains.folder }),
  };
  ui.print(played, () => describePlayed(ui, played));
}

/** A store of each peer in one folder. What the peers keep is written when the network is looked at. */
class ChainFolder {
  readonly folder: string;
  readonly #stores: PeerStore[] = [];
  #waiting: Kept[][] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws GOSSIP_CHAINS_THERE */
  static async make(path: string): Promise<ChainFolder> {
    const folder = resolve(path);
    if (existsSync(folder) && (await readdir(folder)).length > 0) {
      throw new IchainError("GOSSIP_CHAINS_THERE", `The folder ${folder} is not empty.`);
    }
    await mkdir(folder, { recursive: true });
    return new ChainFolder(folder);
  }

  async open(count: number, genesis: Genesis): Promise<void> {
    for (let node = 0; node < count; node++) {
      this.#stores.push(await openGossipStore(join(this.folder, `peer-${node}.db`), genesis));
    }
    this.#waiting = this.#stores.map(() => []);
  }

  addModel(model: Hex, file: Uint8Array): void {
    const folder = join(this.folder, "models");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${model.slice(2)}.${isPacked(file) ? "int8" : "safetensors"}`), file);
  }

  add(node: number, kept: readonly Kept[]): void {
    this.#waiting[node]!.push(...kept);
  }

  write(): void {
    for (const [node, store] of this.#stores.entries()) store.keep(this.#waiting[node]!.splice(0));
  }

  [Symbol.dispose](): void {
    for (const store of this.#stores) store[Symbol.dispose]();
  }
}

async function loadSimulationFile(
  path: string,
  { seed, rule }: { seed?: string; rule?: string },
): Promise<GossipSimulationFile> {
  let text: string;
  try {
    if ((await stat(path)).size > MAX_BYTES) {
      throw new IchainError(
        "GOSSIP_SIMULATION_INVALID",
        `The file ${path} is larger than ${MAX_BYTES} bytes.`,
      );
    }
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("DATA_UNREADABLE", `The file ${path} cannot be read.`, { cause });
  }
  const file = parseYaml({ text, name: path, code: "GOSSIP_SIMULATION_INVALID" }, gossipSimulationSchema);
  return {
    ...file,
    gossip: rule === undefined ? file.gossip : { ...file.gossip, rule },
    simulation: seed === undefined ? file.simulation : { ...file.simulation, seed },
  };
}
