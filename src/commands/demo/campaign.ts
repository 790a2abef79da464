import { cp, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openReader } from "../../compose.ts";
import { type Child, type Line, startChild } from "../../devnet/child.ts";
import { startDevnet } from "../../devnet/devnet.ts";
import { asOwnerOf, type Home } from "../../devnet/homes.ts";
import { costOf } from "../../devnet/ledger.ts";
import { seconds } from "../../devnet/timeline.ts";
import { IchainError } from "../../errors/error.ts";
import type { Campaign } from "../../protocol/campaign/campaign.ts";
import type { VersionCheck } from "../../protocol/campaign/versions.ts";
import { type Address, type Hex, type JobId, sameAddress, shortId } from "../../protocol/ids.ts";
import { isFinal } from "../../protocol/job/state.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Rows of the careless contributor's file that bear the wrong label. */
const WRONG = [2, 7, 12, 17];
const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

interface Version {
  readonly version: number;
  readonly jobId: JobId;
  readonly provider: Address;
  readonly rows: number;
  readonly score: string;
  readonly checks: readonly VersionCheck[];
}

/**
 * A data campaign on a market of its own: one contributor adds good rows, another some wrong ones, which the first
 * corrects; strangers' providers train a version of the model on the rows that were accepted, twice. The owner's home
 * publishes both; a contributor's checks them, and fetches the second.
 */
export async function demoCampaign(
  { ui, signal, config }: CommandContext,
  { out, direct }: { readonly out?: string; readonly direct?: true },
): Promise<void> {
  const begun = performance.now();
  const folder = resolve(out ?? `ichain-demo-${Date.now()}`);
  await using stack = new AsyncDisposableStack();
  const devnet = await startDevnet({
    ...{ providers: 1, validators: 1, contributors: 2, transport: direct ? "direct" : "onion" },
    ...{ reporter: ui.reporter, signal },
  });
  stack.defer(() => devnet.stop());
  const { dir, evm, network, requester: owner } = devnet;
  const [careful, careless] = devnet.contributors as [Home, Home];
  const paths = { ...config.paths, index: join(dir, "index.db") };
  const market = stack.adopt(await openReader({ config: { ...config, network, paths }, ui, signal }), (one) =>
    one.stop(),
  );
  const child = (home: Home, ...argv: string[]): Child =>
    startChild({
      name: `ichain ${argv.slice(0, 2).join(" ")}`,
      argv: [fromRoot("bin/ichain.js"), ...argv, "--json"],
      env: asOwnerOf(home),
      log: join(dir, `${home.name}.log`),
    });
  const ichain = async (home: Home, ...argv: string[]): Promise<Line> => {
    const running = child(home, ...argv);
    try {
      return await running.line((line) => !("event" in line), { signal });
    } finally {
      await running.stop();
    }
  };
  const tell = (text: string) => ui.reporter.emit({ kind: "info", text });
  for (const home of [owner, careful, careless]) {
    const serving = child(home, "serve");
    stack.defer(() => serving.stop());
    await serving.line(({ event }) => event === "serving", { signal });
  }
  const ready = performance.now();

  const example = join(dir, "moons-campaign");
  await cp(fromRoot("examples/moons-campaign"), example, { recursive: true });
  const opened = await ichain(owner, "data", "open", join(example, "campaign.yaml"), "--yes");
  const id = opened.campaignId as Hex;
  const { terms } = await market.campaign(id, { signal });
  const pass = (window: number) => evm.increaseTime(window + 1);
  const accept = async (rows: number): Promise<void> => {
    // One that serves may credit them first.
    await ichain(owner, "data", "refund", id);
    for await (const campaign of market.followCampaign(id, { signal }))
      if (acceptedIn(campaign) === rows) return;
  };
  const train = async (): Promise<void> => {
    const parties = ["--provider", "best", "--validator", "best"];
    const { jobId, rows } = await ichain(
      owner,
      ...["data", "train", id, join(example, "job.yaml"), ...parties, "--yes"],
    );
    tell(`Job ${shortId(jobId as JobId)} trains on ${rows} rows`);
    for await (const { state } of market.follow(jobId as JobId, { signal })) {
      if (state === "Settled") break;
      if (isFinal(state)) throw new IchainError("JOB_FAILED", `Job ${jobId} is ${state}.`);
    }
    for await (const { publications } of market.followCampaign(id, { signal }))
      if (publications.some(({ job }) => job === jobId)) return;
  };

  await ichain(careful, "data", "add", id, join(example, "careful.txt"), "--yes");
  tell("One contributor added a hundred good rows");
  await pass(terms.fixWindow);
  await accept(100);
  await train();
  const first = performance.now();

  const file = join(example, "careless.txt");
  await ichain(careless, "data", "add", id, file, "--yes");
  const rows = (await readFile(file, "utf8")).trim().split("\n");
  tell(`The other added ${rows.length}, ${WRONG.length} of them wrong`);
  for (const row of WRONG) {
    const [x, y, moon] = rows[row]!.split(",");
    const right = [x, y, 1 - Number(moon)].join(",");
    await ichain(careful, "data", "fix", id, `1/${row}`, "--with", right, "--yes");
    await ichain(owner, "data", "judge", id, `1/${row}/0`, "right");
  }
  tell("The first corrected them, and the owner found that right");
  await pass(terms.stepWindow + terms.fixWindow);
  await ichain(owner, "data", "take", id);
  await accept(100 + rows.length);
  await train();
  const second = performance.now();
  await ichain(careless, "data", "get", id, "--model", "2", "--out", folder);
  const { versions } = (await ichain(careless, "data", "versions", id)) as unknown as { versions: Version[] };
  const campaign = await market.campaign(id, { signal });
  const contributors = [
    { plays: "careful", ...accountOf(campaign, careful.account) },
    { plays: "careless", ...accountOf(campaign, careless.account) },
  ];
  const data = {
    campaignId: id,
    versions: versions.map(({ version, jobId, provider, rows: trainedOn, score, checks }) => ({
      ...{ version, jobId, provider, rows: trainedOn, score: Number(score) },
      checked: checks.map(({ what, result }) => `${what} ${result}`),
    })),
    contributors,
    ...(await costOf(network, id, network.contracts.campaigns)),
    folder,
    seconds: {
      total: seconds(performance.now() - begun),
      devnet: seconds(ready - begun),
      first: seconds(first - ready),
      second: seconds(second - first),
    },
  };
  ui.print(data, () =>
    [
      ...data.versions.map(
        (one) =>
          `Version ${one.version}, on ${one.rows} rows, has ${one.score} of the hidden test set right. A contributor checked: ${one.checked.join(", ")}.`,
      ),
      ...contributors.map(
        ({ plays, account, paid, credited }) =>
          `${account.slice(0, 10)} (${plays}) paid ${coin(BigInt(paid))} and got ${coin(BigInt(credited))}`,
      ),
      `${data.txs} transactions of the campaign, ${data.gas} gas.`,
      `The second version lies in ${folder}: the contributor's home fetched it`,
    ].join("\n"),
  );
}

/** Rows that can no longer be fixed. */
function acceptedIn({ rules }: Campaign): number {
  const all = rules.entries.flatMap(({ count }, entry) =>
    Array.from({ length: count }, (_, row) => ({ entry, row })),
  );
  return all.filter((place) => {
    const { fixes, taken } = rules.rowOf(place);
    return rules.entries[place.entry]!.refunded && taken === fixes.length;
  }).length;
}

/** What an account paid into a campaign, as deposits and bonds, and what it was credited with; smallest unit. */
function accountOf({ rules, terms }: Campaign, account: Address) {
  const deposits = rules.entries
    .filter(({ author }) => sameAddress(author, account))
    .reduce((sum, { deposit, count }) => sum + deposit * BigInt(count), 0n);
  const bonds = rules.places().filter((place) => sameAddress(rules.fixOf(place)!.fixer, account)).length;
  const credited = [...rules.owed]
    .filter(([one]) => sameAddress(one, account))
    .reduce((sum, [, amount]) => sum + amount, 0n);
  const paid = deposits + BigInt(bonds) * terms.bond;
  return { account, paid: String(paid), credited: String(credited) };
}
