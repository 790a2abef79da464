/**
 * Runs `work` on up to `width` items of `source` at once and yields the results in the order of the items.
 * Pulls no further ahead than that, so memory stays bounded by `width`.
 */
export async function* inOrder<In, Out>(
  source: AsyncIterable<In>,
  width: number,
  work: (item: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const running: Promise<Out>[] = [];
  try {
    for await (const item of source) {
      const result = work(item);
      result.catch(() => {}); // it is reported when its turn comes
      running.push(result);
      if (running.length >= width) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
}
