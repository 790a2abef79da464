import { setTimeout as delay } from "node:timers/promises";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Keyring } from "../../../../ports/parcels.ts";
import type { Feed } from "../../../../ports/transport.ts";
import { PART_CHARS } from "../../../../protocol/limits.ts";
import type { Party } from "../../../../protocol/offer.ts";
import { encodePart, type LiveKeys, type LivePart } from "../../../../protocol/task/live-log.ts";
import { isEnd } from "../../../task/log-keeper.ts";

const POLL_MS = 250;
/** Read at once. */
const PIECES = 1024;

/** What the task prints, sealed to the requester; at most `maxChars` UTF-16 units, because it is not paid for yet. */
export function logFeed(
  keyring: Pick<Keyring, "seal">,
  journal: JobJournal,
  { keys, requester, maxChars }: { keys: LiveKeys; requester: Party; maxChars: number },
): Feed {
  return {
    id: keys.id,
    async read(from, { signal }) {
      for (;;) {
        const part = partFrom(journal, from, maxChars);
        if (part) {
          const sealed = await keyring.seal(encodePart(part, keys.mac), requester);
          return Buffer.from(sealed.slice(2), "hex");
        }
        try {
          await delay(POLL_MS, undefined, { signal });
        } catch {
          return undefined;
        }
      }
    },
  };
}

/** The part that begins with piece `from`; undefined while there is none. */
function partFrom(journal: JobJournal, from: number, maxChars: number): LivePart | undefined {
  const pieces = journal.logged(from, PIECES);
  if (pieces.length === 0) return undefined;
  const served = journal.logged(0, from).reduce((sum, { text }) => sum + text.length, 0);
  if (served >= maxChars) {
    const text =
      "\n[the live log ends here; the run report has the whole log, once the result is paid for]\n";
    return { from, next: from, text, last: true };
  }
  let text = "";
  let next = from;
  for (const piece of pieces) {
    if (text !== "" && text.length + piece.text.length > PART_CHARS) break;
    text += piece.text;
    next = piece.seq + 1;
    if (isEnd(piece)) return { from, next, text, last: true };
  }
  return { from, next, text, last: false };
}
