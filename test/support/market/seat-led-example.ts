import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const example = fileURLToPath(new URL("../../../examples/federated-digits/", import.meta.url));

/** The federated example's job.yaml, in a folder of its own, led by so many validators. */
export async function seatLedExample(
  t: Pick<TestContext, "after">,
  {
    validators,
    rounds,
    audit,
  }: { readonly validators: number; readonly rounds: number; readonly audit: number },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ichain-seats-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(example, folder, { recursive: true });
  const path = join(folder, "job.yaml");
  const text = await readFile(path, "utf8");
  const led = `  validators: { count: ${validators}, fee: 0.001, deposit: 0.001 }\n  audit: ${audit}\n`;
  await writeFile(path, text.replace("rounds: 5", `rounds: ${rounds}`) + led);
  return path;
}
