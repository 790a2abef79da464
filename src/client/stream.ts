import { linkSignals } from "../async/abort.ts";

/** Items that wait for a reader who is slow; the oldest go first. */
const MAX_BEHIND = 10_000;

/**
 * What `produce` pushes, in order, until it resolves; leaving the loop before aborts it.
 * @throws what `produce` throws
 */
export async function* streamOf<Item>(
  produce: (push: (item: Item) => void, signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void, undefined> {
  const left = new AbortController();
  using either = linkSignals([signal, left.signal]);
  const items: Item[] = [];
  let more = Promise.withResolvers<void>();
  let isOver = false;
  const push = (item: Item): void => {
    if (items.length === MAX_BEHIND) items.shift();
    items.push(item);
    more.resolve();
  };
  const producing = produce(push, either.signal).finally(() => {
    isOver = true;
    more.resolve();
  });
  producing.catch(() => undefined);
  try {
    while (!isOver || items.length > 0) {
      const [item] = items.splice(0, 1);
      if (item !== undefined) yield item;
      else {
        await more.promise;
        more = Promise.withResolvers();
      }
    }
    await producing;
  } finally {
    left.abort();
    await producing.catch(() => undefined);
  }
}
