import type { Abortable } from "../../../async/abort.ts";
import { impossible, isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { FixPlace } from "../../../protocol/campaign/terms.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { postRows } from "../market/add.ts";
import { showFix } from "../market/fix.ts";
import { castRoot } from "../market/improvement/vote.ts";
import { type Opening, postOpening } from "../market/open.ts";
import { castVote } from "../market/panel/judge.ts";
import { publishVersions } from "../versions/publish.ts";
import { campaignsTrained } from "../versions/train.ts";

/**
 * Carries on what was begun in campaigns and not ended, such as by a process that was killed, and publishes the versions
 * that are settled.
 * @returns what was brought to its end
 */
export async function carryOnCampaigns(
  context: RoleContext,
  options: Abortable,
): Promise<{ readonly campaignId: Hex; readonly act: string }[]> {
  const { journal } = context;
  const done: { campaignId: Hex; act: string }[] = [];
  for (const { key } of journal.undertakings({ role: "campaign", unfinished: true })) {
    const [campaign, name] = key.split("/");
    if (name === undefined) continue;
    const record = journal.open("campaign", key);
    try {
      if (await carryOn(context, record, { campaign: campaign as Hex, name }, options)) {
        record.finish("done");
        done.push({ campaignId: campaign as Hex, act: name });
      } else record.finish("failed");
    } catch (error) {
      if (!isIchainError(error) || error.class !== "refused") throw error;
      record.finish("failed");
    }
  }
  for (const id of campaignsTrained(journal))
    for (const number of await publishVersions(context, id, options))
      done.push({ campaignId: id, act: `version-${number}` });
  return done;
}

/** False where a process was killed before it fixed anything. */
async function carryOn(
  context: RoleContext,
  record: JobJournal,
  { campaign: id, name }: { readonly campaign: Hex; readonly name: string },
  options: Abortable,
): Promise<boolean> {
  const [act, ...numbers] = name.split("-");
  if (act === "open") {
    const opening = record.intent<Opening>("draft");
    if (opening === undefined) return false;
    await postOpening(context, opening, options);
    return true;
  }
  const drafted = record.outcome("draft") !== undefined;
  if (act === "add" || act === "fix" || act === "vote" || act === "root") {
    if (!drafted) return false;
    const campaign = await context.market.campaign(id, options);
    if (act === "add") await postRows(context, campaign, record, options);
    else if (act === "root") await castRoot(context, campaign, record, options);
    else if (act === "fix") await showFix(context, campaign, record, options);
    else await castVote(context, campaign, { place: placeOf(numbers), record }, options);
    return true;
  }
  if (record.intent("call") === undefined) return false;
  const call = () => impossible("a call is made again that was recorded");
  await transact(context.market, record, call, { ...options, name: "call" });
  return true;
}

function placeOf(numbers: readonly string[]): FixPlace {
  const [entry = 0, row = 0, fix = 0] = numbers.map(Number);
  return { entry, row, fix };
}
