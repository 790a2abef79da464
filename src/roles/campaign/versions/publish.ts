import type { Abortable } from "../../../async/abort.ts";
import { impossible, isIchainError } from "../../../errors/error.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import {
  encodeEntries,
  type Publication,
  settledScore,
  type Training,
} from "../../../protocol/campaign/versions.ts";
import { type Hex, type JobId, sameAddress, shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { paidResult } from "../../job/requester/result/get.ts";
import { transact } from "../../shared/transact.ts";
import { keepModel, type ServedRows } from "../market/host.ts";
import { readersOf } from "../market/private/readers.ts";
import { undertake } from "../market/undertake.ts";
import { lastOf, trainingsOf } from "./train.ts";

/** Numbers that are tried while other versions of the campaign take them. */
const TRIES = 8;

interface Drafted extends Partial<ServedRows> {
  readonly locator: Hex;
}

/**
 * Publishes what this home had trained on a campaign's rows and is settled, each as the next version.
 * @returns the numbers of those that were published now
 */
export async function publishVersions(context: RoleContext, id: Hex, options: Abortable): Promise<number[]> {
  const { market, journal, account, reporter } = context;
  const published: number[] = [];
  for (const training of trainingsOf(journal, id)) {
    const campaign = await market.campaign(id, options);
    const job = await market.job(lastOf(journal, training.job), options);
    const isOwn = sameAddress(campaign.terms.owner, account);
    const isTold = isPublished(campaign, job.id);
    // A result that no validator measured has no score, and is no version.
    if (!isOwn || isTold || settledScore(job) === undefined) continue;
    try {
      const number = await publishNext(context, campaign, { training, job }, options);
      if (number !== undefined) published.push(number);
    } catch (error) {
      if (!isIchainError(error) || error.class === "unavailable") throw error;
      // One whose result is gone must keep no other from being published.
      reporter.emit({ kind: "warn", text: `Job ${shortId(job.id)} is not published: ${error.message}` });
    }
  }
  return published;
}

/** Publishes a settled job under the next number that is free; undefined where another process of this home did. */
async function publishNext(
  context: RoleContext,
  { id }: Campaign,
  { training, job }: { readonly training: Training; readonly job: Job },
  options: Abortable,
): Promise<number | undefined> {
  const { market, journal } = context;
  const name = `publish-${job.id.slice(2, 18)}`;
  for (let tries = 1; ; tries++) {
    const campaign = await market.campaign(id, options);
    if (isPublished(campaign, job.id)) return undefined;
    const number = campaign.publications.length + 1;
    try {
      await undertake(journal, { campaign: id, name }, async (record) => {
        const { locator } = await record.step<null, Drafted>("draft", {
          prepare: () => null,
          act: async () => {
            // A private campaign's model is for whom its owner gives it to.
            if (readersOf(campaign) !== undefined) return { locator: "0x" };
            return keepModel(context, id, await paidResult(context, job.id, options), options);
          },
        });
        const publication = publicationOf(training, job, { number, locator });
        const call = { kind: "publishVersion", campaign, publication } as const;
        return await transact(market, record, call, { ...options, name: "call" });
      });
      const { publications } = await market.campaign(id, options);
      return publications.find((one) => one.job === job.id)?.number;
    } catch (error) {
      if (!isIchainError(error) || error.class !== "refused") throw error;
      const isTaken = (await market.campaign(id, options)).publications.length >= number;
      if (!isTaken || tries === TRIES) throw error;
    }
  }
}

function publicationOf(
  { rows, block, rowsDigest, without }: Training,
  job: Job,
  { number, locator }: Pick<Publication, "number" | "locator">,
): Publication {
  const score = settledScore(job);
  const modelDigest = job.providerMeasurement?.digest;
  if (score === undefined || modelDigest === undefined)
    return impossible("a job without a score is published");
  return {
    ...{ number, rows, asOf: block, job: job.id, rowsDigest, modelDigest, score },
    ...{ without: encodeEntries(without), locator },
  };
}

function isPublished({ publications }: Campaign, job: JobId): boolean {
  return publications.some((one) => one.job === job);
}
