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
    providers = 4,
    onCheat = "continue",
    update = "int8",
  }: {
    readonly validators: number;
    readonly rounds: number;
    readonly audit: number;
    readonly providers?: number;
    readonly onCheat?: "continue" | "refund";
    /** As job.yaml has it. */
    readonly update?: string;
  },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ichain-seats-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(example, folder, { recursive: true });
  const path = join(folder, "job.yaml");
  const text = await readFile(path, "utf8");
  const led = `  validators: { count: ${validators}, fee: 0.001, deposit: 0.001 }\n  audit: ${audit}\n  onCheat: ${onCheat}\n  update: ${update}\n`;
  const changed = text
    .replace("rounds: 5", `rounds: ${rounds}`)
    .replace("providers: 4", `providers: ${providers}`);
  await writeFile(path, changed.replace("least: 3", `least: ${Math.min(3, providers)}`) + led);
  return path;
}
