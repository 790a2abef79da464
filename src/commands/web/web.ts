import { requireKeystore } from "../../account/keystore.ts";
import { aborted, linkSignals } from "../../async/abort.ts";
import { openReader } from "../../compose.ts";
import { requireNetwork } from "../../config.ts";
import { toJson } from "../../ui/format.ts";
import { createEventHub } from "../../web/events.ts";
import { readPage } from "../../web/files.ts";
import { serveWeb } from "../../web/server.ts";
import { createSession } from "../../web/session.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { heldMarket, openBoard } from "./board.ts";
import { pageContext } from "./context.ts";
import { createKeys } from "./keys.ts";
import { createReports } from "./reports.ts";
import { accountRoutes } from "./routes/account.ts";
import { actRoutes } from "./routes/acts.ts";
import { campaignRoutes, followCampaigns } from "./routes/campaigns.ts";
import { gossipRoutes } from "./routes/gossip.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { marketRoutes } from "./routes/market.ts";
import { postingRoutes } from "./routes/posting.ts";
import { workRoutes } from "./routes/work.ts";

/** Serves the page of this home on loopback until Ctrl-C. */
export async function run(context: CommandContext, _args: object, options: { port: number }): Promise<void> {
  const { config, ui } = context;
  requireNetwork(config);
  const keystore = await requireKeystore(config);
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const { signal } = stack.use(linkSignals([context.signal, stop.signal]));
  const market = stack.adopt(await openReader(context), (one) => one.stop());
  const { walletAddress } = await import("../../chain/wallet.ts");
  const account = walletAddress(keystore);
  const hub = createEventHub();
  const reports = createReports((event) => hub.emit("report", toJson(event)));
  const keys = createKeys((text) => hub.emit("notice", toJson({ text })));
  const { board, follow } = await openBoard(market, account, { signal });
  const held = heldMarket(market, board, account);
  const inPage = pageContext(
    { ...context, signal },
    { market: held, reporter: reports.reporter, password: keys.password },
  );
  const page = { context: inPage, market: held, account, board, reports, keys, hub, names: new Map() };
  const session = createSession();
  const web = await serveWeb({
    port: options.port,
    page: readPage(),
    session,
    hub,
    routes: [
      ...accountRoutes(page),
      ...jobRoutes(page),
      ...campaignRoutes(page),
      ...gossipRoutes(page),
      ...marketRoutes(page),
      ...postingRoutes(page),
      ...actRoutes(page),
      ...workRoutes(page),
    ],
  });
  stack.use(web);
  stack.use(keys);
  const following = Promise.all([
    follow((id, isOwn) => hub.emit(isOwn ? "job" : "market", toJson({ jobId: id }))),
    followCampaigns(market, (campaignId) => hub.emit("campaign", toJson({ campaignId })), { signal }),
    reports.follow(config.home, { signal }),
  ]).catch((error: unknown) => {
    if (signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    hub.emit("notice", toJson({ text: `What is shown is no longer brought up to date: ${why}` }));
  });
  stack.defer(async () => {
    stop.abort();
    await following;
  });
  const url = `http://127.0.0.1:${web.port}/#token=${session.token}`;
  ui.print({ event: "ready", url, account }, () =>
    [
      "The page is ready. Open this link once, in a browser on this machine:",
      `  ${url}`,
      "Its browser is let in from then on, and no other. Ctrl-C here ends it.",
    ].join("\n"),
  );
  await aborted(context.signal);
}
