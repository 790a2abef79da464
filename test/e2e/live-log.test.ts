import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { requireDocker, requireRoot } from "../support/require.ts";

const LINES = 60;
const task = `
import sys, time
if sys.argv[1] == "1":
    print("acc: 1.0")
else:
    for i in range(${LINES}):
        print(f"line {i}\\x1b[2J")
        time.sleep(0.25)
    open("/out/model", "w").write("x")
`;
const job = {
  version: 1,
  name: "talker",
  image: "python-ml",
  command: ["python3", "task.py"],
  inputs: ["task.py"],
  outputs: ["model"],
  resources: { memory: "256 MiB", disk: "1 MiB" },
  verification: { metric: "acc", threshold: 0.5 },
};
const wanted = Array.from({ length: LINES }, (_, i) => `line ${i}·[2J\n`).join("");

it("a requester follows what its task prints while it runs, each line once; others see nothing", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  const folder = join(market.dir, "talker");
  await mkdir(folder);
  await writeFile(join(folder, "task.py"), task);
  await writeFile(join(folder, "job.yaml"), stringify(job));
  const submit = ["submit", join(folder, "job.yaml"), "--provider", "best", "--validator", "best", "--wait"];
  const submitted = ended(market.launch([...submit, "--out", join(market.dir, "out")]));
  const { id } = await market.state("Accepted");

  const following = market.launch(["logs", id, "--follow"]);
  const followed = ended(following);
  await new Promise<void>((resolve, reject) => {
    following.stdout?.once("data", () => resolve());
    following.once("close", () => reject(new Error("it ended before it showed anything")));
  });
  assert.equal((await market.ichain(["job", id])).state, "Accepted", "the first lines come while it runs");
  const [provider, validator] = [market.providers[0]!, market.validators[0]!];
  const own = await market.attempt(["logs", id], provider);
  assert.match(textOf(own.stdout), /^line 0·\[2J\nline 1/);
  const stranger = await market.attempt(["logs", id], validator);
  assert.equal((lastJson(stranger.stdout).error as { code: string }).code, "LOG_NOT_HERE");

  const { code, stdout, stderr } = await followed;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(textOf(stdout).slice(0, wanted.length), wanted);

  assert.equal((await submitted).code, 0);
  const whole = `${wanted}\n[evaluation]\nacc: 1.0\n`;
  assert.equal(textOf((await market.attempt(["logs", id])).stdout), whole);
  assert.equal(textOf((await market.attempt(["logs", id], provider)).stdout), `${wanted}acc: 1.0\n`);
  assert.equal(textOf((await market.attempt(["logs", id], validator)).stdout), "acc: 1.0\n");
});

function textOf(stdout: string): string {
  return stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { text: string }).text)
    .join("");
}
