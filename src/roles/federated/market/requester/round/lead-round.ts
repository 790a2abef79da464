import { rm } from "node:fs/promises";
import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { UploadLine } from "../../../../../protocol/federated/ledger/ledger.ts";
import type { FederatedJob } from "../../../../../protocol/federated/market/job.ts";
import type { RoundMessage } from "../../../../../protocol/federated/market/messages.ts";
import { type Address, type Hex, sameAddress } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { transact } from "../../../../shared/transact.ts";
import { unlessRefused } from "../../unless-refused.ts";
import type { Board } from "../board.ts";
import { type Course, packModel } from "../course.ts";
import { forgetRounds } from "../disk.ts";
import { aggregateRound, digestBefore } from "./aggregate.ts";
import { type Arrivals, updateNoticeOf, updatePath } from "./arrivals.ts";
import { type ClosedRound, closeBooks } from "./books.ts";
import { aggregateScores } from "./distil.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/** One round: hands out the model, collects updates, makes the next model, closes. */
export async function leadRound(
  context: WorkerContext,
  journal: JobJournal,
  { place, members, hosting }: Course,
  {
    job,
    round,
    arrivals,
    board,
  }: { job: FederatedJob; round: number; arrivals: Arrivals; board: Board<RoundMessage> },
  options: Abortable,
): Promise<ClosedRound> {
  const { market } = context;
  const { draft, files } = place;
  const last = journal.outcome<ClosedRound>(`closing-${round - 1}`);
  const model = await packModel(context, journal, place, round, options);
  await hosting.add(model.blob);
  const sendBy = job.deadline - Math.floor(job.terms.roundWindow / 2);
  const begunAt = await market.now(options);
  board.show(round, (account) => {
    const member = members.find((one) => sameAddress(one.account, account));
    if (member === undefined) return undefined;
    if (member.out) return { round, ledger: [...(last?.lines ?? [])] };
    const work = {
      model: { root: model.blob.root, key: model.key, bytes: model.blob.size },
      ...(member.part && { part: member.part }),
      sendBy,
    };
    return { round, ledger: [...(last?.lines ?? [])], work };
  });
  const aggregated = await journal.step(`aggregate-${round}`, {
    // Which updates count is decided once; what they make is the same however often it is computed.
    prepare: () => arrivals.enough({ quorum: draft.file.federated.quorum, sendBy }),
    act: async (present) => {
      const memory = journal.outcome<{ memory: never }>(`aggregate-${round - 1}`)?.memory ?? {};
      const updates = present.map((account) => ({
        account,
        place: members.findIndex((one) => sameAddress(one.account, account)),
        path: updatePath(files, round, account),
      }));
      const parent = digestBefore(journal, draft, round);
      const aggregate = place.open === undefined ? aggregateRound : aggregateScores;
      return await aggregate(context, journal, place, { round, parent, updates, memory }, options);
    },
  });
  const next = await packModel(context, journal, place, round + 1, options);
  const closed = await journal.step(`closing-${round}`, {
    prepare: async (): Promise<ClosedRound> => {
      const present = aggregated.members.map(({ account }) => account);
      const uploads = present
        .map((account): UploadLine => {
          const { upload, signature } = updateNoticeOf(journal, round, account)!;
          return { upload, signature };
        })
        .toSorted((a, b) => (a.upload.provider < b.upload.provider ? -1 : 1));
      const finishedAt = await market.now(options);
      return closeBooks(market.ledgerDomainOf(job.id), draft, {
        ...{ round, members, uploads, aggregated },
        lead: context.account.toLowerCase() as Address,
        sign: (hash) => market.signRecord(hash),
        earned: last?.earned ?? [],
        previous: last?.closing.ledgerTip ?? NOTHING,
        parent: digestBefore(journal, draft, round),
        model: next.blob.root,
        times: { finishedAt, seconds: Math.max(0, finishedAt - begunAt) },
        bytes: new Map(
          uploads.map(({ upload: { provider } }) => [
            provider,
            updateNoticeOf(journal, round, provider)!.parcel.bytes,
          ]),
        ),
      });
    },
    act: (one) => one,
  });
  const idle = closed.members.every(({ upload }) => upload === NOTHING);
  const idleBefore = last?.members.every(({ upload }) => upload === NOTHING) ?? false;
  if (idle && idleBefore && !job.stopping)
    await unlessRefused(() =>
      transact(market, journal, { kind: "stopFederated", federated: job }, { ...options, name: "stop-idle" }),
    );
  const closing = { kind: "closeRound", federated: job, closing: closed.closing, approvals: [] } as const;
  await transact(market, journal, closing, { ...options, name: `close-${round}` });
  // The next round needs neither: they are only kept until the round is closed.
  for (const { account } of members) await rm(files.update(round, account), { recursive: true, force: true });
  await rm(files.rootUpdate(round), { force: true });
  hosting.remove(model.blob.root);
  await rm(files.parcel(round - 1), { force: true });
  await forgetRounds(files, round, draft.file.federated.keep);
  return closed;
}
