import { join } from "node:path";
import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Hosting } from "../../../../../ports/transport.ts";
import { memberOf } from "../../../../../protocol/federated/market/fold.ts";
import type { RoundList } from "../../../../../protocol/federated/market/seat-messages.ts";
import { type Address, type Hex, sameAddress } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import type { Channel } from "../../channel.ts";
import type { Lead } from "../../provider/leads.ts";
import {
  type Arrivals,
  checkUpdate,
  fetchUpdate,
  isUpdateOf,
  maxUpdateBytes,
  updateNoticeOf,
  updatePath,
} from "../../requester/round/arrivals.ts";
import { UPDATE_FILE } from "../../update-parcel.ts";
import { residualsAtSeat } from "../residuals.ts";
import type { SignedUpdate } from "./replay.ts";
import { arrivedOf, disagree, type RoundState } from "./work-out.ts";

/** A provider, and the digest of the rows that it was dealt; undefined where it has its own. */
export interface Dealt {
  readonly account: Address;
  readonly channel: Channel;
  readonly data: Hex | undefined;
}

/**
 * Brings the updates that another seat counts in a round, and checks each as if its provider had told this seat of it.
 * @throws FEDERATED_DISAGREED and the codes of transfers and parcels
 */
export async function takeList(
  context: WorkerContext,
  journal: JobJournal,
  state: RoundState,
  {
    by,
    from,
    list,
    arrivals,
    members,
    hosting,
  }: {
    /** Place among the seats of the one that told the list. */
    readonly by: number;
    /** That seat. */
    readonly from: Lead;
    readonly list: RoundList;
    readonly arrivals: Arrivals;
    readonly members: readonly Dealt[];
    readonly hosting: Hosting;
  },
  options: Abortable,
): Promise<readonly SignedUpdate[]> {
  const { job, round, parent } = state;
  const { files, draft } = state.place;
  const { parameters, gossip } = draft.spec.federated;
  const domain = context.market.ledgerDomainOf(job.id);
  const maxBytes = maxUpdateBytes(parameters, gossip);
  if (new Set(list.updates.map(({ upload }) => upload.provider)).size !== list.updates.length)
    throw disagree("it counts an update twice");
  const variant = (account: Address) => `${files.update(round, account)}-${by}`;
  const isHere = (account: Address, root: string) =>
    updateNoticeOf(journal, round, account)?.parcel.root === root;
  const own: Address[] = [];
  for (const message of list.updates) {
    const member = members.find(({ account }) => account.toLowerCase() === message.upload.provider);
    if (member === undefined) throw disagree(`${message.upload.provider} is no provider of the job`);
    const { account, channel, data } = member;
    if (!isUpdateOf(message, { account, round, parent }, domain))
      throw disagree(`the update of ${account} is not signed by it`);
    if (updateNoticeOf(journal, round, account) === undefined) await arrivals.take(account, channel, message);
    if (isHere(account, message.parcel.root)) {
      own.push(account);
      continue;
    }
    // It told this seat of another one.
    const path = variant(account);
    const check = () => checkUpdate(path, message, { parameters, gossip, maxBytes, data });
    if (
      await check().then(
        () => true,
        () => false,
      )
    )
      continue;
    await fetchUpdate(context, { channel, message, path, maxBytes }, options);
    await check();
  }
  if (!(await arrivals.haveAll(own))) throw disagree("an update that it counts cannot be used");
  const residualsOf = residualsAtSeat(context, journal, state, { hosting, peers: [from] });
  return arrivedOf(
    job,
    list.updates,
    (account, { parcel }) =>
      isHere(account, parcel.root) ? updatePath(files, round, account) : join(variant(account), UPDATE_FILE),
    (account, message, path) => {
      const channel = members.find((one) => sameAddress(one.account, account))?.channel;
      return channel && residualsOf(account, channel, message, path);
    },
  );
}

/**
 * Sees that no update is left out that is here and that its provider said on the chain before the list was told.
 * @throws FEDERATED_DISAGREED
 */
export async function requireAsserted(
  { market }: Pick<WorkerContext, "market">,
  { job: { id }, round }: RoundState,
  { list, arrivals }: { readonly list: RoundList; readonly arrivals: Arrivals },
  options: Abortable,
): Promise<void> {
  const job = await market.federatedJob(id, options);
  for (const account of arrivals.present()) {
    const counted = list.updates.some(({ upload }) => sameAddress(upload.provider, account));
    if (!counted && memberOf(job, account)?.asserted === round)
      throw disagree(`it leaves out ${account}, which said on the chain that it uploaded`);
  }
}
