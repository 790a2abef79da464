import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { digits, ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** For how long Tor is away. Only when asked: `TOR_OUTAGE=120 node --test test/e2e/tor-outage.test.ts`, for minutes. */
const asked = process.env.TOR_OUTAGE;
const SECONDS = Number(asked);

/** The relays and directories of a private Tor network; the parties' own tors are in their homes. */
function relaysOf(dir: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const line = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return ""; // it has ended
    }
  };
  return pids.filter((pid) => /(^|\/)tor\0/.test(line(pid)) && line(pid).includes(dir)).map(Number);
}

it("a job goes on by itself after an outage of all of Tor in the middle of it", {
  ...(asked === undefined
    ? { skip: "TOR_OUTAGE says for how many seconds" }
    : needs("root", "docker", "tor")),
  timeout: 900_000,
}, async (t) => {
  const market = await startTestMarket(t);
  const submit = ["submit", digits, "--provider", "best", "--validator", "best", "--wait"];
  const submitted = ended(market.launch([...submit, "--out", join(market.dir, "out")]));
  await market.state("Posted");
  const relays = relaysOf(join(market.dir, "tornet"));
  assert.ok(relays.length >= 3, `${relays.length} relays`);
  for (const pid of relays) process.kill(pid, "SIGSTOP");
  await delay(1000 * SECONDS);
  for (const pid of relays) process.kill(pid, "SIGCONT");
  const back = performance.now();
  const { code, stdout, stderr } = await submitted;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(lastJson(stdout).state, "Settled");
  t.diagnostic(`settled ${((performance.now() - back) / 1000).toFixed(0)} s after Tor was back`);
  t.diagnostic(stderr.slice(-3000));
});
