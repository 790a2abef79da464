import { createHash } from "node:crypto";
import { id } from "ethers";
import { toHex } from "../../../protocol/bytes.ts";
import { modelDigest, updateDigest } from "../../../protocol/federated/digest.ts";
import type { TrialFile } from "../../../protocol/federated/job-file.ts";
import {
  type AggregationLine,
  type LedgerHeader,
  payLeaves,
  type UploadLine,
} from "../../../protocol/federated/ledger/ledger.ts";
import { type RoundMember, recordHash, signRecord } from "../../../protocol/federated/ledger/record.ts";
import { memberLeaf, treeRoot } from "../../../protocol/federated/ledger/tree.ts";
import type { Vector } from "../../../protocol/federated/vector.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "../../../protocol/ids.ts";
import type { Samples, TrialData } from "../data/samples.ts";
import { leadOf, providersOf } from "./identities.ts";
import { layoutOf, type Shape } from "./network.ts";
import { firstModel, type PlayedRound, shapeOf } from "./simulate.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/**
 * Keeps the ledger of a simulated job, signed by the accounts that the seed gives. A simulation has no clock, and nothing
 * travels: times and locations are zero.
 */
export class SimulatedLedger {
  readonly header: LedgerHeader;
  readonly #file: TrialFile;
  readonly #samples: Samples;
  readonly #shape: Shape;
  readonly #keys;
  readonly #parts = new Map<Uint32Array, Hex>();
  readonly #earned = new Map<Address, bigint>();
  #model: Hex;
  #previous = NOTHING;

  constructor(file: TrialFile, data: TrialData) {
    this.#file = file;
    this.#samples = data.train;
    this.#shape = shapeOf(file, data);
    this.#keys = new Map(providersOf(file).map(({ account, key }) => [account, key]));
    this.#model = this.#digestOf(firstModel(file, data));
    const job = id(JSON.stringify(file)) as Hex;
    this.header = { ledger: 1, chainId: 0, escrow: ZERO_ADDRESS, job, name: file.name, start: this.#model };
  }

  /** The lines of a round, in the order of the file. */
  add({ round, model, outcomes }: PlayedRound): (UploadLine | AggregationLine)[] {
    const always = { location: NOTHING, finishedAt: 0, seconds: 0 };
    const parent = this.#model;
    const uploads = outcomes.flatMap(({ actor, sent }): UploadLine[] => {
      if (sent === undefined) return [];
      const update = updateDigest(createHash("sha256"), [sent]);
      const data = this.#partOf(actor.rows);
      const upload = { round, provider: actor.account, parent, data, update, ...always };
      const signature = signRecord(this.#keys.get(actor.account)!, recordHash(upload, this.header));
      return [{ upload, signature }];
    });
    const members = outcomes.map(({ actor, accuracy, weight, audit }): RoundMember => {
      const own = uploads.find(({ upload }) => upload.provider === actor.account)?.upload;
      const upload = own === undefined ? NOTHING : recordHash(own, this.header);
      return {
        provider: actor.account,
        upload,
        rows: actor.rows.length,
        accuracy,
        weight,
        audit: audit ?? "none",
      };
    });
    members.sort((a, b) => (a.provider < b.provider ? -1 : 1));
    for (const { actor, pay } of outcomes) {
      if (pay > 0n) this.#earned.set(actor.account, (this.#earned.get(actor.account) ?? 0n) + pay);
    }
    const earned = new Map([...this.#earned].sort(([a], [b]) => (a < b ? -1 : 1)));
    const lead = leadOf(this.#file);
    this.#model = this.#digestOf(model);
    const aggregation = {
      ...{ round, lead: lead.account, parent, model: this.#model, strategy: this.#file.federated.strategy },
      updatesRoot: treeRoot(members.map((member) => memberLeaf(round, member))),
      payRoot: treeRoot(payLeaves(earned)),
      ...always,
      previous: this.#previous,
    };
    this.#previous = recordHash(aggregation, this.header);
    return [
      ...uploads,
      {
        aggregation,
        members,
        earned: [...earned].map(([account, amount]) => [account, String(amount)]),
        signature: signRecord(lead.key, this.#previous),
      },
    ];
  }

  #digestOf(model: Vector): Hex {
    return modelDigest(createHash("sha256"), layoutOf(this.#shape), model);
  }

  /** Digest of a provider's part: SHA-256 over a domain string, and each row's label and features that are not 0. */
  #partOf(rows: Uint32Array): Hex {
    const known = this.#parts.get(rows);
    if (known !== undefined) return known;
    const { starts, places, values, labels } = this.#samples;
    const hasher = createHash("sha256").update("ichain/simulated-part/1\0");
    for (const row of rows) {
      const [from, to] = [starts[row]!, starts[row + 1]!];
      hasher.update(Uint32Array.of(labels[row]!, to - from));
      hasher.update(places.subarray(from, to));
      hasher.update(values.subarray(from, to));
    }
    const digest = toHex(hasher.digest());
    this.#parts.set(rows, digest);
    return digest;
  }
}
