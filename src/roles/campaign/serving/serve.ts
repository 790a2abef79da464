import { type Abortable, linkSignals } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { Hosting } from "../../../ports/transport.ts";
import { campaignRolesOf } from "../../../protocol/campaign/campaign.ts";
import { type Hex, shortId } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { retryText } from "../../shared/note.ts";
import { hostRows, ownRows } from "../market/host.ts";
import { serveImprovement } from "../market/improvement/sit.ts";
import { concerns, drawPanels, settleCampaign } from "../market/settle.ts";
import { publishVersions } from "../versions/publish.ts";
import { campaignsTrained, lastOf, trainingsOf } from "../versions/train.ts";
import { carryOnCampaigns } from "./carry-on.ts";

/**
 * What `ichain serve` does in data campaigns until a signal aborts: it carries on what was begun, serves the rows of
 * this home, takes what this account won and gets back what it is owed, and publishes versions of its own campaigns. It
 * judges and fixes nothing: that is its owner's.
 */
export async function serveCampaigns(
  context: RoleContext,
  { signal, draining }: Abortable & { readonly draining: AbortSignal },
): Promise<void> {
  try {
    using until = linkSignals([signal, draining]);
    await serveUntil(context, until);
  } catch (error) {
    if (signal.aborted || !draining.aborted) throw error; // else it is drained
  }
}

async function serveUntil(context: RoleContext, options: Abortable): Promise<void> {
  const { market, account, reporter } = context;
  const stop = new AbortController();
  using own = linkSignals([options.signal, stop.signal]);
  const warn = (error: Error, pause: number) =>
    reporter.emit({ kind: "warn", text: retryText(error, pause) });
  const lasting = <T>(work: () => Promise<T>) => retryTransient(work, warn, own);
  const following = new Map<Hex, Promise<void>>();
  let hosting: Hosting | undefined;
  const carrying = lasting(() => carryOnCampaigns(context, own)).catch((error: Error) => {
    if (!own.signal.aborted)
      reporter.emit({ kind: "warn", text: `What was begun in campaigns is left: ${error.message}` });
  });
  const served = new Set<Hex>();
  // One after the other: two at once would both begin the same.
  let [hostings, publishings]: Promise<unknown>[] = [Promise.resolve(), carrying];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    await lasting(work).catch((error: Error) => {
      if (!own.signal.aborted) reporter.emit({ kind: "warn", text: `${what}: ${error.message}` });
    });
  };
  const hostFresh = () =>
    attempt("Rows of campaigns are not served", async () => {
      const fresh = ownRows(context).filter(({ root }) => !served.has(root));
      if (fresh.length === 0) return;
      if (hosting === undefined) hosting = await hostRows(context, own);
      else for (const blob of fresh) await hosting.add(blob);
      for (const { root } of fresh) served.add(root);
    });
  const host = async (): Promise<void> => {
    hostings = hostings!.then(hostFresh);
    await hostings;
  };
  const publishSettledOf = (id: Hex) =>
    attempt(`A version of campaign ${shortId(id)} is not published`, async () => {
      for (const number of await publishVersions(context, id, own))
        reporter.emit({ kind: "info", text: `Campaign ${shortId(id)}: version ${number} is published` });
    });
  const publish = async (id: Hex): Promise<void> => {
    publishings = publishings!.then(() => publishSettledOf(id));
    await publishings;
    await host();
  };
  const publishing = publishAll(context, publish, own).catch((error: Error) => {
    if (!own.signal.aborted)
      reporter.emit({ kind: "warn", text: `Versions of campaigns are not published: ${error.message}` });
  });
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all([carrying, publishing, hostings, publishings, ...following.values()]);
      await hosting?.stop();
    },
  };
  for await (const campaign of market.watchCampaigns({}, own)) {
    if (campaignRolesOf(campaign, account).length === 0) continue;
    await host();
    if (following.has(campaign.id)) continue;
    if (campaignsTrained(context.journal).includes(campaign.id)) void publish(campaign.id);
    following.set(
      campaign.id,
      lasting(() => follow(context, campaign.id, own)).catch((error: Error) => {
        if (own.signal.aborted) return;
        const text = `Campaign ${shortId(campaign.id)} is left to its owner: ${error.message}`;
        reporter.emit({ kind: "warn", text });
      }),
    );
  }
}

/** Publishes each job of a campaign once it is settled, and serves its model. */
async function publishAll(
  context: RoleContext,
  publish: (campaign: Hex) => Promise<void>,
  options: Abortable,
): Promise<void> {
  const { market, account, journal } = context;
  for await (const { id, state } of market.watch({ requester: account }, options)) {
    if (state !== "Settled") continue;
    for (const campaign of campaignsTrained(journal)) {
      if (!trainingsOf(journal, campaign).some(({ job }) => lastOf(journal, job) === id)) continue;
      await publish(campaign);
    }
  }
}

async function follow(context: RoleContext, id: Hex, options: Abortable): Promise<void> {
  const wanted = concerns(context.account);
  for await (const campaign of context.market.followCampaign(id, options)) {
    const done = await settleCampaign(context, id, wanted, options);
    if (done.length > 0) {
      const text = `Campaign ${shortId(id)}: ${done.map(({ kind }) => kind).join(", ")}`;
      context.reporter.emit({ kind: "info", text });
    }
    await drawPanels(context, id, wanted, options);
    await serveImprovement(context, campaign, options);
  }
}
