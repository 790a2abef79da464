// What the study of scale computes with. `measured`: in this repository, by the command or in the file named. `planned`:
// what jobs on the market will do. `estimate`: taken from others or guessed; the conclusions say where they depend on it.
export type Origin = "measured" | "planned" | "estimate";

export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly origin: Origin;
  readonly from: string;
}

const figure = (value: number, unit: string, origin: Origin, from: string): Figure => ({
  value,
  unit,
  origin,
  from,
});

export const figures = {
  aggregate: figure(
    12e-9,
    "s of a core for each value of an update",
    "measured",
    "`bench:aggregate -- --parameters 1000000 --updates 1000`: 12.2 s, in 641 MiB with two threads",
  ),
  writeModel: figure(
    50e-9,
    "s of a core for each parameter of the model, its files included",
    "measured",
    "`bench:aggregate -- --updates 1`: 7.4 s",
  ),
  ledger: figure(
    840,
    "bytes of the ledger for each update",
    "measured",
    "`simulate --ledger`, 64 providers; a third of that compressed",
  ),
  provider: figure(
    1.25e6,
    "bytes/s of one provider's link over public Tor, median",
    "estimate",
    "10 Mbit/s, the iChain paper's mean over OnionShare",
  ),
  spread: figure(0.6, "deviation of its logarithm", "estimate", "a slow twentieth has a third of the median"),
  seat: figure(
    10e6,
    "bytes/s of a seat or lead, all lanes and several tor processes together",
    "estimate",
    "4 guards of 2 to 4 MB/s; 28 MB/s were measured on a private network without latency",
  ),
  hops: figure(6, "relays that carry a byte between two onions", "estimate", "Tor's rendezvous circuits"),
  tor: figure(
    37.5e9,
    "bytes/s that all relays carry today",
    "estimate",
    "some 300 Gbit/s, the order that Tor Metrics shows",
  ),
  training: figure(
    1800,
    "s of training in a round, median",
    "estimate",
    "a GPU at home; ours to choose by `epochs`",
  ),
  slowness: figure(0.3, "deviation of its logarithm", "estimate", ""),
  quorum: figure(0.7, "of the updates close a round", "planned", "`quorum` of federated jobs"),
  rows: figure(925, "rows that measure an update", "measured", "200 own, 225 of others, 500 hidden"),
  speed: figure(5e13, "operations/s of a seat that measures", "estimate", "one GPU at half its f16 peak"),
  cores: figure(8, "cores of a seat", "estimate", ""),
  post: figure(69_642, "gas: post", "measured", "`test/contracts/federated/gas.snapshot.json`"),
  begin: figure(36_416, "gas: begin", "measured", "likewise"),
  enlist: figure(75_039, "gas: enlist, each provider", "measured", "likewise, of ten"),
  seats: figure(178_544, "gas: seat, three seats", "measured", "likewise"),
  close: figure(
    72_986,
    "gas: close of a round, three seats, any number of providers",
    "measured",
    "likewise, of twenty",
  ),
  claim: figure(23_464, "gas: claim, each provider and seat once", "measured", "likewise, of 13 in one call"),
  release: figure(25_823, "gas: release, each provider and seat", "measured", "likewise"),
} as const satisfies Readonly<Record<string, Figure>>;

export const SEATS = 3;
