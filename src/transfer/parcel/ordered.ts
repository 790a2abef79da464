/**
 * Runs `work` on up to `width` items of `source` at once and yields the results in the order of the items. At most one
 * more item is read ahead, so that memory stays bounded.
 * @throws what `source` or `work` throws, once everything that was started has ended
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
      coming = quiet(source.next()); // before `work`, so that reading overlaps with it
      running.push(quiet(work(item.value)));
      if (running.length >= width) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled([coming, ...running]);
    await source.return(undefined);
  }
}

/** The same promise; its rejection is thrown where it is awaited, and is not reported as unhandled before. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
