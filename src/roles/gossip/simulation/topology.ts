import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { IchainError } from "../../../errors/error.ts";
import type { GossipSimulationFile } from "../../../protocol/gossip/simulation-file.ts";
import { Random } from "../../federated/data/random.ts";

/** Neighbours of each node, ascending. */
export type Topology = readonly (readonly number[])[];

type Edge = readonly [number, number];

/** What the paper's simulations ran on: each node connects to two. */
const paper: readonly Edge[] = [
  ...([
    [0, 3],
    [0, 8],
    [1, 5],
    [1, 7],
    [2, 0],
    [2, 8],
    [3, 4],
    [3, 7],
    [4, 8],
    [4, 9],
  ] as const),
  ...([
    [5, 3],
    [5, 4],
    [6, 5],
    [6, 4],
    [7, 6],
    [7, 5],
    [8, 1],
    [8, 2],
    [9, 5],
    [9, 1],
  ] as const),
];

const MAX_FILE = 4 << 20;
const MAX_EDGES = 100_000;

/**
 * Who is whose neighbour; relations go both ways. A file has an edge a line, as `0-3`.
 * @throws DATA_UNREADABLE, GOSSIP_SIMULATION_INVALID
 */
export async function makeTopology({ simulation }: GossipSimulationFile, folder: string): Promise<Topology> {
  const { nodes, topology, seed } = simulation;
  const edges =
    typeof topology === "string"
      ? edgesOf(topology, nodes, new Random(`topology ${seed}`))
      : "edges" in topology
        ? topology.edges
        : await readEdges(resolve(folder, topology.file));
  const neighbours = Array.from({ length: nodes }, () => new Set<number>());
  for (const [a, b] of edges) {
    if (a >= nodes || b >= nodes || a === b) refuse(`there is no edge ${a}-${b} between ${nodes} nodes`);
    neighbours[a]!.add(b);
    neighbours[b]!.add(a);
  }
  return neighbours.map((set) => [...set].sort((a, b) => a - b));
}

function edgesOf(kind: string, nodes: number, random: Random): readonly Edge[] {
  const all = [...Array(nodes).keys()];
  if (kind === "paper") return paper;
  if (kind === "full") return all.flatMap((a) => all.slice(a + 1).map((b): Edge => [a, b]));
  const line = all.slice(1).map((b): Edge => [b - 1, b]);
  if (kind === "line") return line;
  if (kind === "ring") return [...line, [nodes - 1, 0]];
  const degree = Number(kind.split(" ")[1]);
  if (degree >= nodes) refuse(`a node has no ${degree} others`);
  return all.flatMap((a) => {
    const others = all.filter((b) => b !== a);
    return random
      .shuffle(others)
      .slice(0, degree)
      .map((b): Edge => [a, b]);
  });
}

async function readEdges(path: string): Promise<Edge[]> {
  let text: string;
  try {
    if ((await stat(path)).size > MAX_FILE) refuse(`${path} is larger than ${MAX_FILE} bytes`);
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("DATA_UNREADABLE", `The topology ${path} cannot be read.`, { cause });
  }
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length > MAX_EDGES) refuse(`${path} has more than ${MAX_EDGES} edges`);
  return words.map((word) => {
    const [, a, b] = /^(\d{1,4})-(\d{1,4})$/.exec(word) ?? refuse(`${path} has no edge ${word.slice(0, 20)}`);
    return [Number(a), Number(b)];
  });
}

function refuse(why: string): never {
  throw new IchainError("GOSSIP_SIMULATION_INVALID", `The network cannot be made: ${why}.`);
}
