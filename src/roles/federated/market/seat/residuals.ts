import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../protocol/federated/market/messages.ts";
import type { Address } from "../../../../protocol/ids.ts";
import { shortId } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { noteAndReport } from "../../../shared/note.ts";
import type { Residuals } from "../../encode.ts";
import type { Channel } from "../channel.ts";
import { fetchFromAny, type Lead } from "../provider/leads.ts";
import type { RoundBasis } from "../requester/draft.ts";
import { maxResidualBytes, openResiduals, residualsIn } from "../residual-proof.ts";
import { HOST_TOKEN } from "../update-parcel.ts";

/** How long the last to be asked may send next to nothing, milliseconds: a round waits for it. */
const QUIET_MS = 60_000;

/** Shows the residuals of a top-k update; undefined where its provider does not, or shows others than it signed. */
export type ShowResiduals = (options: Abortable) => Promise<Residuals | undefined>;

interface OpenRound {
  readonly job: FederatedJob;
  readonly round: number;
  readonly place: { readonly draft: Pick<RoundBasis, "spec"> };
}

/** Where the residuals of the update in the file `path` lie, once they were fetched. */
export function residualsFolder(path: string): string {
  return `${dirname(path)}-residuals`;
}

/**
 * How a seat comes by the residuals of an update that it replays: from its provider, or from another seat that has them.
 * It hosts them itself then, so that no provider can show them to one seat and not to another.
 */
export function residualsAtSeat(
  context: WorkerContext,
  journal: JobJournal,
  { job, round, place: { draft } }: OpenRound,
  { hosting, peers }: { readonly hosting: Hosting; readonly peers: readonly Lead[] },
) {
  const length = draft.spec.federated.parameters;
  const domain = context.market.ledgerDomainOf(job.id);
  return (account: Address, channel: Channel, message: UpdateMessage, path: string): ShowResiduals =>
    async (options) => {
      const { transport: kind, address, residuals } = message;
      if (residuals === undefined) return undefined;
      const folder = residualsFolder(path);
      const shown = async () => {
        const sent = new Uint8Array(await readFile(path));
        return await residualsIn(folder, { job, round, domain, account, sent, length });
      };
      if (existsSync(folder)) {
        const known = await shown();
        if (known !== undefined) return known;
      }
      const { root, key, bytes } = residuals;
      const provider = { endpoint: { transport: kind, address, token: channel.token(HOST_TOKEN) } as const };
      const request = {
        ...{ root, path: `${folder}.parcel`, maxBytes: maxResidualBytes(length), size: bytes },
        quietMs: QUIET_MS,
      };
      try {
        const blob = await fetchFromAny(context, [provider, ...peers], request, options);
        await openResiduals(context, { blob, key, folder, length }, options);
        const known = await shown();
        if (known !== undefined) {
          await hosting.add(blob);
          return known;
        }
      } catch (error) {
        options.signal.throwIfAborted();
        if (!isIchainError(error)) throw error;
      }
      await rm(folder, { recursive: true, force: true });
      const text = `round ${round}: ${shortId(account)} shows no residual that fits its updates`;
      noteAndReport(context, journal, text, "warn");
      return undefined;
    };
}

/** The residuals that a witness shows beside an update. */
export function residualsShown(
  { market }: Pick<WorkerContext, "market">,
  { job, round, length }: Omit<OpenRound, "place"> & { readonly length: number },
  { account, path }: { readonly account: Address; readonly path: string },
): ShowResiduals {
  return async () => {
    const sent = new Uint8Array(await readFile(path));
    const domain = market.ledgerDomainOf(job.id);
    return await residualsIn(residualsFolder(path), { job, round, domain, account, sent, length });
  };
}
