import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { endpoints, openApi } from "../../scripts/reference/openapi.ts";
import { pageEvents } from "../../src/commands/web/api/jobs.ts";
import type { PageContext } from "../../src/commands/web/page.ts";
import { accountRoutes } from "../../src/commands/web/routes/account.ts";
import { actRoutes } from "../../src/commands/web/routes/acts.ts";
import { campaignRoutes } from "../../src/commands/web/routes/campaigns.ts";
import { gossipRoutes } from "../../src/commands/web/routes/gossip.ts";
import { jobRoutes } from "../../src/commands/web/routes/jobs.ts";
import { marketRoutes } from "../../src/commands/web/routes/market.ts";
import { postingRoutes } from "../../src/commands/web/routes/posting.ts";
import { workRoutes } from "../../src/commands/web/routes/work.ts";
import type { WebRoute } from "../../src/web/endpoint.ts";

const root = fileURLToPath(new URL("../../src/", import.meta.url));
const source = globSync(["commands/web/**/*.ts", "web/events.ts"], { cwd: root })
  .map((path) => readFileSync(`${root}${path}`, "utf8"))
  .join("\n");

test("the description of the page's API has every address that is served, and every event that is sent", () => {
  const page = {} as PageContext; // No route looks at it before it is asked.
  const all = [
    accountRoutes,
    jobRoutes,
    campaignRoutes,
    gossipRoutes,
    marketRoutes,
    postingRoutes,
    actRoutes,
    workRoutes,
  ];
  const address = ({ method, path }: Pick<WebRoute, "method" | "path">) => `${method} ${path}`;
  assert.deepEqual(
    all
      .flatMap((routes) => routes(page))
      .map(address)
      .toSorted(),
    endpoints.map(address).toSorted(),
  );
  const sent = [...source.matchAll(/\bemit\(\s*"([a-z-]+)"|isOwn \? "(\w+)" : "(\w+)"|event: (reset)\\n/g)];
  assert.deepEqual(
    [...new Set(sent.flatMap((match) => match.slice(1)).filter((name) => name !== undefined))].toSorted(),
    Object.keys(pageEvents).toSorted(),
  );
});

test("the description names each operation once, and parts of an address that are there", () => {
  const { paths } = openApi() as {
    paths: Record<
      string,
      Record<string, { operationId: string; parameters?: { in: string; name: string }[] }>
    >;
  };
  const operations = Object.entries(paths).flatMap(([url, methods]) =>
    Object.values(methods).map((operation) => ({ url, ...operation })),
  );
  const ids = operations.map(({ operationId }) => operationId);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { url, parameters = [] } of operations) {
    const named = parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
    assert.deepEqual(url.match(/\{\w+\}/g) ?? [], named);
  }
});
