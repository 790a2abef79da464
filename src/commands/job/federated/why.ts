import type { TokenInfo } from "../../../protocol/amounts.ts";
import { disputeText, judgedText } from "../../../protocol/federated/market/dispute/news.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { type Address, shortId } from "../../../protocol/ids.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { federatedData, federatedRoleIn } from "./view.ts";

/** Explains in plain sentences where a federated job stands, who must act by when, and what happens otherwise. */
export function explainFederated(
  { ui }: CommandContext,
  job: FederatedJob,
  {
    now,
    account,
    token,
  }: { readonly now: number; readonly account: Address | undefined; readonly token: TokenInfo },
): void {
  const role = federatedRoleIn(job, account);
  const [stands, next, otherwise] = sentences(job, now);
  const appeals = job.disputes.filter(({ about }) => about !== undefined);
  ui.print({ ...federatedData(job, account, token), stands, next, otherwise }, () =>
    [
      ...(role ? [`You are ${role === "requester" ? "the requester" : `a ${role}`} of this job.`] : []),
      stands,
      next,
      otherwise,
      ...appeals.map((one) => `There is a dispute ${disputeText(one)}.`),
      ...job.judged.map((one) => `A panel has judged: ${judgedText(one)}.`),
      ...struckTexts(job, now),
    ].join("\n"),
  );
}

function sentences(job: FederatedJob, now: number): [stands: string, next: string, otherwise: string] {
  const { id, state, terms, members, closings, deadline, cause, stopping } = job;
  const at = (instant: number) => new Date(instant * 1000).toISOString();
  const enlisted = members.filter(({ seat }) => !seat).length;
  const round = closings.length + 1;
  switch (state) {
    case "Enlisting":
      return [
        `Providers enlist: ${enlisted} of ${terms.places} places are taken.`,
        `Its requester begins it once all are, or after ${at(terms.enlistBy)} with ${terms.least} at least ("ichain resume ${shortId(id)}" or "ichain serve" must run).`,
        `Otherwise it ends after ${at(deadline)}, and the whole price goes back.`,
      ];
    case "Running":
      if (now > deadline)
        return [
          `Round ${round} of ${terms.rounds} was not closed by ${at(deadline)}.`,
          "Any party's daemon ends the job now.",
          terms.seats > 0
            ? "Closed rounds stay paid, and the rest goes back."
            : "Closed rounds stay paid; who has said on the chain that it uploaded shares the open round's price.",
        ];
      return [
        `Round ${round} of ${terms.rounds} is open${stopping ? ", and is the last" : ""}.`,
        terms.seats > 0
          ? `Its ${members.length - enlisted} validators close it by ${at(deadline)}, once more than half of them have signed the same model and books.`
          : `Its requester closes it by ${at(deadline)}, once enough updates have come ("ichain resume ${shortId(id)}" or "ichain serve" must run).`,
        terms.seats > 0
          ? "Otherwise anyone ends the job: closed rounds stay paid, and the rest goes back."
          : "Otherwise anyone ends the job: closed rounds stay paid, and who has said on the chain that it uploaded shares the open round's price.",
      ];
    case "Ended":
      return [
        `It ended (${cause}) after ${closings.length} of ${terms.rounds} rounds${cause === "cheated" ? ": its validators struck a provider, and the rounds that were not closed went back" : ""}.`,
        now > deadline
          ? "Pay and stakes are free: each party's daemon takes its own."
          : `Pay and stakes are free after ${at(deadline)}, when no round can be disputed any more.`,
        "What nobody claims within 180 days goes back to the requester.",
      ];
    case "Drawing":
      return [
        `Its ${terms.seats} validators are being drawn from the pool.`,
        `Its requester has them drawn by ${at(deadline)} ("ichain resume ${shortId(id)}" or "ichain serve" must run).`,
        "Otherwise anyone ends the job, and the whole price goes back.",
      ];
    case "Disputed": {
      const dispute = job.disputes.find(({ about }) => about === undefined);
      if (dispute === undefined) break;
      return [
        `No round is open: there is a dispute ${disputeText(dispute)}.`,
        dispute.panel.length === 0
          ? "Any party's daemon has the panel drawn, of validators that have no part in the job."
          : `Its validators ("ichain validate") judge by ${at(dispute.deadline)}, from what the job's own validators show them, and then say what they found.`,
        "If most find that the round does not give what was closed, it is void and those that signed lose their stake; else the job goes on, and half of a round's price is lost to who challenged a round that most confirm.",
      ];
    }
    default:
      break;
  }
  return [
    `It is ${state}.`,
    `This step ends by ${at(deadline)}.`,
    "Otherwise anyone moves the job on; closed rounds stay paid.",
  ];
}

/** Of providers that were struck and have not appealed. */
function struckTexts({ members, terms }: FederatedJob, now: number): string[] {
  const loses = terms.refunds ? "its deposit, which the others share, and is banned" : "its deposit";
  return members.flatMap(({ account, standing, strike }) => {
    if (standing !== "struck" || strike === undefined) return [];
    const until = new Date(strike.appealBy * 1000).toISOString();
    const appeal =
      now > strike.appealBy
        ? `It did not appeal in time: it loses ${loses}.`
        : `It may appeal until ${until} ("ichain appeal"); otherwise it loses ${loses}.`;
    return [
      `${strike.signers.length} validators struck ${account} for round ${strike.found.round}: their replays give another update. ${appeal}`,
    ];
  });
}
