import type { FederatedFilter } from "../../ports/market/federated.ts";
import { foldFederated } from "../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../protocol/federated/market/job.ts";
import type { Address, Hex, JobId } from "../../protocol/ids.ts";
import { artifactOf } from "../abi/artifacts.ts";
import type { RawLog } from "../abi/decode.ts";
import { decodeFederatedEvent } from "../abi/decode-federated.ts";
import type { Database } from "../database.ts";
import { changedJobs } from "./jobs.ts";

/** The read half of the index of federated jobs. */
export interface FederatedIndex {
  /** Folded from its logs; undefined when the index has none. */
  find(id: JobId): FederatedJob | undefined;
  /** Jobs that match and changed after `touched`, oldest change first. */
  changed(filter: FederatedFilter, touched: number): { id: JobId; touched: number }[];
  /** As `JobIndex.touched`. */
  touched(id: JobId): number;
  /** As `JobIndex.startingWith`. */
  startingWith(prefix: Hex, limit: number): JobId[];
}

export function openFederatedIndex(
  db: Database,
  chainId: bigint,
  escrow: Address | undefined,
): FederatedIndex {
  const logsOf = db.prepare("SELECT block, topics, data FROM logs WHERE job = ? ORDER BY block, position");
  const touchOf = db.prepare("SELECT touched FROM federated_jobs WHERE job = ?");
  const range = db.prepare("SELECT job FROM federated_jobs WHERE job >= ? AND job <= ? ORDER BY job LIMIT ?");
  return {
    find(id) {
      if (escrow === undefined) return undefined;
      const rows = logsOf.all(id.toLowerCase()) as unknown as { block: number; topics: string; data: Hex }[];
      return rows.reduce<FederatedJob | undefined>((job, { block, topics, data }) => {
        const log = { block, topics: topics.split(",") as Hex[], data };
        const event = decodeFederatedEvent(log, chainId, escrow);
        return event === undefined ? job : foldFederated(job, event);
      }, undefined);
    },
    changed: (filter, touched) => changedJobs(db, "federated_jobs", filter, touched),
    touched: (id) => (touchOf.get(id.toLowerCase())?.touched as number | undefined) ?? 0,
    startingWith: (prefix, limit) =>
      range.all(prefix, prefix.padEnd(66, "f"), limit).map((row) => row.job as JobId),
  };
}

/** An account that an event makes a party of its job. */
export interface FederatedParty {
  readonly role: keyof FederatedFilter;
  readonly account: Address;
}

/** Reads what the index keeps beside the logs of federated jobs themselves. */
export function federatedTopics() {
  const { abi } = artifactOf("FederatedEscrow");
  const of = (name: string) => abi.getEvent(name)?.topicHash ?? name;
  const moving = ["Enlisted", "Seated", "Empanelled", "StakeReleased", "DisputeConcluded", "FederatedRated"];
  const movesStakes = new Set(moving.map(of));
  const [posted, enlisted, seated] = [of("FederatedPosted"), of("Enlisted"), of("Seated")];
  const named = new Map<string, FederatedParty["role"]>([
    [posted, "requester"],
    [enlisted, "provider"],
    [seated, "validator"],
  ]);
  const listing = new Set([of("Invited"), of("Empanelled")]);
  return {
    /** An event about money, not about a job. */
    withdrawn: of("Withdrawn"),
    /** These change stakes, counters and scores of offers without an event of the registry. */
    movesStakes,
    partiesIn(log: RawLog): FederatedParty[] {
      const [name = "", , second] = log.topics;
      const role = named.get(name);
      if (role !== undefined)
        return second === undefined ? [] : [{ role, account: `0x${second.slice(-40)}` }];
      if (!listing.has(name)) return [];
      // Neither event has terms, so that chain and escrow do not matter.
      const event = decodeFederatedEvent(log, 0n, `0x${"0".repeat(40)}`);
      if (event?.kind === "invited")
        return event.invitation.providers.map((account) => ({ role: "invited", account }));
      if (event?.kind === "empanelled") return event.panel.map((account) => ({ role: "validator", account }));
      return [];
    },
  };
}
