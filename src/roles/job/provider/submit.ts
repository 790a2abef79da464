import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Receipt } from "../../../ports/market.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { blindKey, keyCommitment } from "../../../protocol/job/exchange.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { measurementCommitment } from "../../../protocol/job/measurement.ts";
import { seedTip } from "../../../protocol/job/seeds.ts";
import type { Party } from "../../../protocol/offer.ts";
import { encodeLocator, endpointFor, type Locator } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import type { Packed } from "./pack-result.ts";

/** Commits on the chain to the result, to its measurement and to the key that opens it. */
export function submit(
  { market, keyring, account }: RoleContext,
  journal: JobJournal,
  { job, packed, mask, requester }: { job: Job; packed: Packed; mask: Hex; requester: Party },
  options: Abortable,
): Promise<Receipt> {
  return transact(
    market,
    journal,
    async () => ({
      kind: "submit",
      job,
      resultRoot: packed.result.blob.root,
      measurementCommitment: measurementCommitment(job.id, account, packed.measurement),
      keyCommitment: keyCommitment(job.id, blindKey(packed.result.sessionKey, mask)),
      seedTip: seedTip(packed.seedSecret),
      sealed: await keyring.seal(encodeLocator(locatorOf(packed, requester)), requester),
    }),
    { ...options, name: "submit" },
  );
}

/** Where the requester finds the result, or the report of a run that failed. */
function locatorOf({ identity, result, report, reportShare }: Packed, { keys }: Party): Locator {
  const place = {
    result: endpointFor(identity.endpoint, keys.fingerprint),
    resultBytes: result.blob.size,
  };
  if (reportShare === undefined) return { kind: "failure", ...place, reportKey: report.sessionKey };
  return { kind: "result", ...place, reportRoot: report.blob.root, reportShare };
}
