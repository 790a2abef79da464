import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { HostedParcel } from "../../../../../protocol/federated/market/messages.ts";
import { type Address, sameAddress } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { noteAndReport } from "../../../../shared/note.ts";
import type { Partition } from "../../../data/partition.ts";
import { Random } from "../../../data/random.ts";
import { type Course, packPart } from "../course.ts";
import type { ClosedRound } from "./books.ts";

/** Rounds running without an update after which a provider is left out. */
const SILENT_ROUNDS = 2;
const NOTHING = `0x${"0".repeat(64)}`;

/**
 * The course as it is in `round`: with `silent: redeal`, providers whose updates were missing two rounds running before it
 * are left out for good, and the others have their rows. The same after a crash.
 */
export async function courseOf(
  context: WorkerContext,
  journal: JobJournal,
  course: Course,
  round: number,
  options: Abortable,
): Promise<Course> {
  const { place, members, hosting } = course;
  const { draft, files, train } = place;
  if (draft.file.federated.silent === "wait" || train === undefined) return course;
  const accounts = members.map(({ account }) => account);
  const closed = Array.from({ length: round - 1 }, (_, i) =>
    journal.outcome<ClosedRound>(`closing-${i + 1}`),
  );
  const out = silentOnes(
    accounts,
    closed.flatMap((one) => one?.members ?? []),
  );
  if (out.length === 0 || out.length === members.length) return course;
  const parts = dealAmong(place.parts, out, draft.seed);
  const without = out.join("-");
  const dealt: Course["members"][number][] = [];
  for (const [at, member] of members.entries()) {
    const rows = parts[at]!.length;
    if (out.includes(at)) {
      dealt.push({ ...member, part: undefined, out: true, rows });
      continue;
    }
    const part = await journal.step(`part-${at}-without-${without}`, {
      prepare: () => `${files.part(at)}-without-${without}`,
      act: (out) => packPart(context, { ...place, train }, { rows: parts[at]!, out }, options),
    });
    await hosting.add(part.blob);
    const hosted: HostedParcel = { root: part.blob.root, key: part.key, bytes: part.blob.size };
    dealt.push({ ...member, part: hosted, rows });
  }
  const text = `round ${round}: the rows of ${out.length} silent provider${out.length === 1 ? "" : "s"} are dealt among the others`;
  if (journal.outcome(`redealt-${without}`) === undefined) noteAndReport(context, journal, text, "warn");
  await journal.step(`redealt-${without}`, { prepare: () => null, act: () => true });
  return { place: { ...place, parts }, members: dealt, hosting };
}

/**
 * Places of the accounts whose updates were missing two rounds running; `lines`: what the closed rounds say of each
 * provider, in the order of the rounds.
 */
export function silentOnes(
  accounts: readonly Address[],
  lines: readonly { readonly provider: Address; readonly upload: string }[],
): readonly number[] {
  return accounts.flatMap((account, place) => {
    const own = lines.filter(({ provider }) => sameAddress(provider, account));
    const silent = own.map(({ upload }) => upload === NOTHING);
    return silent.some(
      (_, i) => i + 1 >= SILENT_ROUNDS && silent.slice(i + 1 - SILENT_ROUNDS, i + 1).every(Boolean),
    )
      ? [place]
      : [];
  });
}

/** The parts when those in `out` have none and their rows are dealt evenly among the others. */
export function dealAmong(parts: Partition, out: readonly number[], seed: string): Partition {
  const random = new Random(`redeal ${seed} ${out.join(" ")}`);
  const free = random.shuffle(Uint32Array.from(out.flatMap((place) => [...parts[place]!])));
  const left = parts.flatMap((_, place) => (out.includes(place) ? [] : [place]));
  return parts.map((rows, place) => {
    const at = left.indexOf(place);
    if (at < 0) return new Uint32Array();
    return Uint32Array.from([...rows, ...free.filter((_, i) => i % left.length === at)]);
  });
}
