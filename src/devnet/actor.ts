import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadConfig } from "../config.ts";
import { work } from "../daemon/work.ts";
import { exitCodes } from "../errors/entry.ts";
import { IchainError } from "../errors/error.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { createUi } from "../ui/create.ts";
import { explain, printError } from "../ui/errors.ts";
import { type Misbehaviour, misbehave, misbehaviours } from "./misbehave.ts";
import {
  federatedMisbehaviours,
  misbehaveInRounds,
  misbehaveInSeat,
  seatMisbehaviours,
} from "./misbehave-federated.ts";

/**
 * One provider or validator of the devnet, in a process of its own: what `ichain provide` and `ichain
 * validate` run, with a misbehaviour when one is named. Ends at SIGTERM and when its stdin closes, so that it ends
 * with the devnet. At SIGUSR2 it collects its garbage and writes what memory is left to `memory.json` in its home, for
 * soaks.
 */
const { values } = parseArgs({
  options: {
    role: { type: "string", default: "provider" },
    name: { type: "string", default: "" },
    policy: { type: "string" },
    stake: { type: "string", default: "0" },
    bad: { type: "string" },
  },
});

const stop = new AbortController();
const end = () =>
  stop.abort(new IchainError("INTERRUPTED", "Stopped with its devnet.", { hint: "Start it again." }));
process.on("SIGTERM", end);
process.stdin.on("close", end).resume();

const ui = await createUi({ json: true, quiet: false, ci: true });
let code: number = 0;
let sandbox: Sandbox | undefined;
try {
  const config = await loadConfig();
  process.on("SIGUSR2", () => writeMemory(config.home));
  const bad = misbehaviours.find((one): one is Misbehaviour => one === values.bad);
  const inSeat = seatMisbehaviours.find((one) => one === values.bad);
  const inRounds = federatedMisbehaviours.find((one) => one === values.bad);
  await work(
    { config, ui, signal: stop.signal },
    { provider: values.role === "provider", validator: values.role === "validator" },
    {
      name: values.name,
      stake: BigInt(values.stake),
      ...(values.policy === undefined ? {} : { policy: values.policy }),
      change: (worker) => {
        sandbox = worker.sandbox;
        if (inSeat !== undefined) return misbehaveInSeat(worker, inSeat);
        if (inRounds !== undefined) return misbehaveInRounds(worker, inRounds);
        return bad === undefined ? worker : misbehave(worker, bad);
      },
    },
  );
} catch (error) {
  const explained = explain(error);
  if (!stop.signal.aborted) await printError(explained, { json: true, debug: false });
  code = stop.signal.aborted ? 0 : exitCodes[explained.class];
}
// Nothing resumes these runs: what is left of them would keep the devnet's folder busy.
await sandbox
  ?.sweep(new Set())
  .catch((error: unknown) => printError(explain(error), { json: true, debug: false }));
process.exit(code);

/**
 * Bytes of data: after a full collection, because only then is growth a leak and not the collector's leisure, and without
 * compiled code, which grows for hours while functions become hot.
 */
function writeMemory(home: string): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const data = getHeapSpaceStatistics().filter(
    ({ space_name: name }) => !/^(read_only|code|trusted|shared)_/.test(name),
  );
  const heap = data.reduce((sum, { space_used_size: used }) => sum + used, 0);
  const file = join(home, "memory.json");
  writeFileSync(`${file}.new`, JSON.stringify({ bytes: heap + process.memoryUsage().external }));
  renameSync(`${file}.new`, file);
}
