import type { TestContext } from "node:test";

/** Like `t`, but cleans up the newest first: what was built on something goes before it. */
export function lifo(t: Pick<TestContext, "after">): Pick<TestContext, "after"> {
  const stack: (() => unknown)[] = [];
  t.after(async () => {
    for (const undo of stack.reverse()) await undo();
  });
  return { after: (undo) => void stack.push(undo as () => unknown) };
}
