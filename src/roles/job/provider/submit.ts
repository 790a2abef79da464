import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Receipt } from "../../../ports/market.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { blindKey, keyCommitment } from "../../../protocol/job/exchange.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { measurementCommitment } from "../../../protocol/job/measurement.ts";
import { seedTip } from "../../../protocol/job/seeds.ts";
import type { Party } from "../../../protocol/offer.ts";
import { encodeLocator, endpointFor } from "../../../protocol/parcel/locator.ts";
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
      sealed: await keyring.seal(
        encodeLocator({
          kind: "result",
          result: endpointFor(packed.identity.endpoint, requester.keys.fingerprint),
          resultBytes: packed.result.blob.size,
          reportRoot: packed.report.blob.root,
          reportShare: packed.reportShare,
        }),
        requester,
      ),
    }),
    { ...options, name: "submit" },
  );
}
