import { type Abortable, linkSignals } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { Hosting } from "../../../ports/transport.ts";
import { campaignRolesOf } from "../../../protocol/campaign/campaign.ts";
import { type Hex, shortId } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { retryText } from "../../shared/note.ts";
import { carryOnCampaigns } from "./carry-on.ts";
import { hostRows, ownRows } from "./host.ts";
import { concerns, drawPanels, settleCampaign } from "./settle.ts";

/**
 * What `ichain serve` does in data campaigns until a signal aborts: it carries on what was begun, serves the rows of
 * this home, takes what this account won and gets back what it is owed. It judges and fixes nothing: that is its owner's.
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
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all([carrying, ...following.values()]);
      await hosting?.stop();
    },
  };
  const served = new Set<Hex>();
  for await (const campaign of market.watchCampaigns({}, own)) {
    if (campaignRolesOf(campaign, account).length === 0) continue;
    await lasting(async () => {
      const fresh = ownRows(context).filter(({ root }) => !served.has(root));
      if (fresh.length === 0) return;
      if (hosting === undefined) hosting = await hostRows(context, own);
      else for (const blob of fresh) await hosting.add(blob);
      for (const { root } of fresh) served.add(root);
    }).catch((error: Error) => {
      if (!own.signal.aborted)
        reporter.emit({ kind: "warn", text: `Rows of campaigns are not served: ${error.message}` });
    });
    if (following.has(campaign.id)) continue;
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

async function follow(context: RoleContext, id: Hex, options: Abortable): Promise<void> {
  const wanted = concerns(context.account);
  for await (const _ of context.market.followCampaign(id, options)) {
    const done = await settleCampaign(context, id, wanted, options);
    if (done.length > 0) {
      const text = `Campaign ${shortId(id)}: ${done.map(({ kind }) => kind).join(", ")}`;
      context.reporter.emit({ kind: "info", text });
    }
    await drawPanels(context, id, wanted, options);
  }
}
