/**
 * Runs `work` on up to `width` items of `source` at once and yields the results in the order of the items.
 * One more item is on its way meanwhile; nothing is pulled further ahead, so memory stays bounded.
 */
export async function* inOrder<In, Out>(
  source: AsyncGenerator<In>,
  width: number,
  work: (item: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const running: Promise<Out>[] = [];
  let coming = quiet(source.next());
  try {
    for (let item = await coming; !item.done; item = await coming) {
      coming = quiet(source.next()); // first: it is read while this thread works
      running.push(quiet(work(item.value)));
      if (running.length >= width) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled([coming, ...running]);
    await source.return(undefined);
  }
}

/** The same promise; a rejection is reported when its turn comes. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
