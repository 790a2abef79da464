import { openRepair } from "../../compose.ts";
import { COIN } from "../../protocol/amounts.ts";
import { type Address, shortId } from "../../protocol/ids.ts";
import { lockedBy } from "../../protocol/job/terms.ts";
import type { Found } from "../../roles/repair/repair.ts";
import { repair } from "../../roles/repair/repair.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { readTokens, type Tokens } from "../steps/tokens.ts";
import { due } from "../steps/view.ts";

/**
 * Sets a damaged journal aside and rebuilds it from what the file, the chain and the disk still tell; adds
 * to one from a backup what it lacks. Says of each open job what is left of it.
 */
export async function run(context: CommandContext): Promise<void> {
  const { ui, signal } = context;
  await using sources = await openRepair(context);
  const { open: found, unknownFolders } = await repair(sources, { signal });
  const now = await sources.market.now({ signal });
  const { setAsideAs } = sources;
  const tokens = await readTokens(context, sources.market, found.map(paidIn), { signal });
  const jobs = found.map((one) => ({
    jobId: one.job.id,
    role: one.role,
    state: one.job.state,
    standing: one.standing,
    deadline: one.job.deadline,
    atRisk: String(atRisk(one)),
    token: tokens(paidIn(one)),
  }));
  ui.print({ setAsideAs, jobs, folders: unknownFolders }, () =>
    [
      setAsideAs === undefined ? "The journal is sound." : `The damaged journal is kept as ${setAsideAs}.`,
      found.length === 0
        ? "No open job of this account needs it."
        : ui.table(
            ["JOB", "ROLE", "STATE", "DUE", "WHAT IS LEFT"],
            found.map((one) => [
              shortId(one.job.id),
              one.role,
              one.job.state,
              due(one.job, now),
              whatIsLeft(one, tokens),
            ]),
          ),
      ...unknownFolders.map(
        (folder) => `Of no open job, and no longer known; a paid result there stays closed: ${folder}`,
      ),
    ].join("\n"),
  );
}

/** What the account's money in a job is in: the stakes of others than the requester are coin. */
function paidIn({ job, role }: Found): Address {
  return role === "requester" ? job.terms.token : COIN.address;
}

/** What the account may lose by a job whose keys are gone, at most. */
function atRisk({ job: { terms, state }, role, standing }: Found): bigint {
  if (standing !== "lost" || (role === "requester" && state === "Posted")) return 0n;
  if (role === "requester") return lockedBy(terms);
  return role === "provider" ? terms.providerStake : terms.validatorStake;
}

function whatIsLeft(found: Found, tokens: Tokens): string {
  const { job, role, standing } = found;
  if (standing === "kept") return "everything: it goes on";
  if (standing === "again") return "it is run again from its beginning";
  const most = `${money(atRisk(found), tokens(paidIn(found)))} at most`;
  if (role === "provider") return `the result's key is gone: it cannot be claimed; ${most} of the stake`;
  if (role === "validator") return `the measurement is gone: it cannot be revealed; ${most} of the stake`;
  return job.state === "Posted"
    ? `the keys are gone: take the money back with "ichain cancel ${shortId(job.id)}" before it is accepted`
    : `the mask is gone: its result cannot be opened; ${most}, back if it fails`;
}
