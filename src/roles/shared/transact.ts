import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Call, Market, Receipt } from "../../ports/market.ts";

/**
 * One transaction as a step of the journal: signed and recorded first, then sent. After a crash the recorded bytes
 * are looked up on the chain and, if they are missing, sent again, so that nothing is paid twice. The step is named
 * `name`, or else after the call.
 */
export function transact(
  market: Market,
  journal: JobJournal,
  call: Call | (() => Call | Promise<Call>),
  { signal, name }: Abortable & { name?: string },
): Promise<Receipt> {
  const kind = typeof call === "function" ? undefined : call.kind;
  return journal.step(name ?? kind ?? "call", {
    prepare: async () => market.prepare(typeof call === "function" ? await call() : call, { signal }),
    act: (tx) => market.broadcast(tx, { signal }),
  });
}
