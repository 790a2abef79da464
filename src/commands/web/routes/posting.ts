import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { templates } from "../../../config/choices.ts";
import { IchainError, impossible } from "../../../errors/error.ts";
import { amountText } from "../../../protocol/amounts.ts";
import type { Address } from "../../../protocol/ids.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import type { Offer, Rating } from "../../../protocol/offer.ts";
import { findCandidates } from "../../../roles/job/requester/posting/plan.ts";
import { money } from "../../../ui/format.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { loadFederatedFile } from "../../job/federated/load.ts";
import { loadJobs, surroundingsOf } from "../../steps/job-file.ts";
import { meanScore } from "../../steps/offers.ts";
import { standing } from "../../steps/planning/chooser.ts";
import { type JobInput, jobTemplates, postingApi } from "../api/posting.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";

/** Folders below the working directory that are looked into for a job.yaml. */
const DEPTH = 3;
const MAX_FOUND = 50;
const MAX_SHOWN = 100;
const TRIES = 3;

/** Planning a job, and posting it. */
export function postingRoutes(page: PageContext): readonly WebRoute[] {
  const { context, keys } = page;
  const plan = ({ args, options }: Submission) =>
    runCommand(context, "submit", { args, options: { ...options, dryRun: true } });
  /** Its jobs together lock what was agreed to at most. */
  const submitMatrix = async (asked: Submission, most: bigint) => {
    const { data } = await plan(asked);
    if (data === undefined || !("cells" in data)) return impossible("no jobs of a matrix");
    const budget = amountText(most, data.token.decimals);
    const options = { ...asked.options, detach: true, yes: true, budget };
    return runCommand(context, "submit", { args: asked.args, options });
  };
  return [
    route(postingApi.files, async () => ({
      folder: process.cwd(),
      files: await jobFilesIn(process.cwd()),
      templates: jobTemplates.map((name) => ({ name, summary: templates[name] })),
    })),
    route(postingApi.new, ({ template }) => runCommand(context, "new", { args: { template } })),
    route(postingApi.choices, async ({ file, ...input }, options) =>
      choices(page, await jobFileAt(file), input, options),
    ),
    route(postingApi.plan, async (input) => plan(await submission(context, input))),
    route(postingApi.submit, async ({ most, ...input }) => {
      keys.password();
      const asked = await submission(context, input);
      await keys.served(context);
      if (asked.isMatrix) return submitMatrix(asked, BigInt(most));
      return runCommand(context, "submit", {
        args: asked.args,
        options: { ...asked.options, detach: true, yes: true, most: BigInt(most) },
      });
    }),
  ];
}

type Submission = Awaited<ReturnType<typeof submission>>;

/** The same as arguments and options of `ichain submit`. */
async function submission(
  { config }: PageContext["context"],
  { file, provider, validator, variables: variable }: JobInput,
) {
  const path = await jobFileAt(file);
  const isFederated = (await loadFederatedFile(path, surroundingsOf(config))) !== undefined;
  const loaded = isFederated ? undefined : await loadJobs(path, { variable, ...surroundingsOf(config) });
  const isMatrix = loaded !== undefined && !("file" in loaded);
  // A federated job invites: nobody is chosen.
  const parties = isFederated ? {} : { provider, validator: [validator] };
  return { isMatrix, args: { files: [path] }, options: { ...parties, tries: TRIES, variable } };
}

/** @throws JOB_UNREADABLE */
async function jobFileAt(given: string): Promise<string> {
  const path = resolve(given);
  const found = await stat(path).catch((cause: unknown) => {
    throw new IchainError("JOB_UNREADABLE", `There is nothing at ${path}.`, { cause });
  });
  return found.isDirectory() ? join(path, "job.yaml") : path;
}

/** Paths of job files in a folder and those below it. */
async function jobFilesIn(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.toSorted((a, b) => a.name.localeCompare(b.name))) {
      if (found.length >= MAX_FOUND) return;
      const path = join(folder, entry.name);
      if (entry.isFile() && entry.name === "job.yaml") found.push(relative(root, path));
      const isOthers = entry.name.startsWith(".") || entry.name === "node_modules";
      if (entry.isDirectory() && !isOthers && depth < DEPTH) await look(path, depth + 1);
    }
  };
  await look(root, 1);
  return found;
}

/** Who could do a job, the best first, with ratings and what each asks; nothing of a federated job, which invites. */
async function choices(
  { context, market, account }: PageContext,
  path: string,
  { provider, variables }: { provider: string; variables: [string, string][] },
  options: { signal: AbortSignal },
) {
  const around = surroundingsOf(context.config);
  if ((await loadFederatedFile(path, around)) !== undefined) return { kind: "federated" as const };
  const loaded = await loadJobs(path, { variable: variables, ...around });
  const file = "file" in loaded ? loaded.file : loaded[0]!.file;
  const candidates = await findCandidates(market, file, account, options);
  const { token } = candidates.pay;
  const told = (offer: Offer, rating: Rating, price: bigint) => ({
    account: offer.account,
    name: neutraliseLine(offer.details.name),
    rating: meanScore(rating),
    ratings: rating.count,
    settled: rating.outcomes.settled,
    price: money(price, token),
    tier: offer.details.tier,
  });
  const chosen =
    candidates.providers.find((offer) => offer.account.toLowerCase() === provider.toLowerCase()) ??
    candidates.providers[0]!;
  return {
    kind: "file" in loaded ? ("job" as const) : ("matrix" as const),
    cells: "file" in loaded ? 1 : loaded.length,
    name: file.name,
    validatorSeats: file.verification.validators,
    providers: candidates.providers.slice(0, MAX_SHOWN).map((offer) => ({
      ...told(offer, offer.ratingAsProvider, candidates.priceOf(offer)),
      standing: standing(candidates, offer),
    })),
    validators: candidates
      .validatorsFor(chosen)
      .slice(0, MAX_SHOWN)
      .map((offer) => told(offer, offer.ratingAsValidator, candidates.feeOf(offer))),
    unfit: candidates.unfit
      .slice(0, MAX_SHOWN)
      .map(({ offer, why }): { account: Address; why: string } => ({ account: offer.account, why })),
  };
}
