import { shortId } from "../../../ids.ts";
import type { Dispute, FederatedJob, FederatedMember, Judged } from "../job.ts";

/** A sentence about a job's strikes and disputes that its parties are told once, as its key has it. */
export interface DisputeNews {
  readonly key: string;
  readonly text: string;
}

/** What has happened in a job so far, in order: struck, appealed or challenged, panel drawn, decided. */
export function disputeNewsOf({ members, disputes, judged }: FederatedJob): readonly DisputeNews[] {
  return [...members.flatMap(struckNews), ...disputes.flatMap(openNews), ...judged.map(judgedNews)];
}

function struckNews({ account, strike }: FederatedMember): DisputeNews[] {
  if (strike === undefined) return [];
  const { round, upload } = strike.found;
  const until = new Date(strike.appealBy * 1000).toISOString();
  const text = `its validators struck ${shortId(account)} for round ${round}, which can appeal until ${until}`;
  return [{ key: `struck-${account}-${upload}`, text }];
}

function openNews({ number, about, challenger, round, panel }: Dispute): DisputeNews[] {
  const by = shortId(challenger);
  const what =
    about === undefined ? `${by} challenges the closing of round ${round}` : `${by} appeals its strike`;
  const drawn = `a panel of ${panel.length} is drawn for ${topic({ about, round })}`;
  return [
    { key: `disputed-${number}`, text: `${what}: a panel is being drawn` },
    ...(panel.length > 0 ? [{ key: `drawn-${number}`, text: drawn }] : []),
  ];
}

function judgedNews(one: Judged): DisputeNews {
  return { key: `judged-${one.number}`, text: `a panel has judged: ${judgedText(one)}` };
}

/** An open dispute, in words. */
export function disputeText({ about, round, panel, committed, revealed }: Dispute): string {
  const what = topic({ about, round });
  if (panel.length === 0) return `over ${what}: its panel is being drawn`;
  const all = committed.length === panel.length;
  const count = all
    ? `${revealed.length} of ${panel.length} have said what they found`
    : `${committed.length} of ${panel.length} have judged it`;
  return `over ${what}: a panel runs it again, ${count}`;
}

/** What became of a dispute, in words. */
export function judgedText({ about, round, decided, stands }: Judged): string {
  const what =
    about === undefined
      ? `the closing of round ${round} ${stands ? "stands" : "is void, and those after it"}`
      : `the strike against ${shortId(about)} for round ${round} ${decided && stands ? "stands" : "does not stand"}`;
  return decided ? what : `${what}: no majority of its panel found the same`;
}

function topic({ about, round }: Pick<Dispute, "about" | "round">): string {
  return about === undefined ? `the closing of round ${round}` : `the strike against ${shortId(about)}`;
}
