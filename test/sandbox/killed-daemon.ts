// A daemon that runs one task and kills itself with SIGKILL at the moment named on its command line.
import { mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { SandboxTask } from "../../src/ports/sandbox.ts";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import type { Engine } from "../../src/sandbox/engines/engine.ts";
import { createSandbox, DEFAULT_SOCKET } from "../../src/sandbox/sandbox.ts";

interface DaemonOptions {
  readonly stateDir: string;
  readonly instance: string;
  readonly task: SandboxTask;
  /** `before create`, `after start`, …: an engine call; or `at output`, `while recording`. */
  readonly moment: string;
}

const { stateDir, instance, task, moment } = JSON.parse(process.argv[2] ?? "{}") as DaemonOptions;
const [when, call] = moment.split(" ");

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new TypeError("unreachable");
}

const real = dockerEngine({ socketPath: DEFAULT_SOCKET });
let ended = false;
const engine = new Proxy(real, {
  get(target, name: keyof Engine) {
    if (target[name] === undefined) return undefined;
    return async (...args: never[]) => {
      // The first inspection looks for an earlier run. The second is the one after the end.
      const counts = name === call && (name !== "inspect" || ended);
      if (counts && when === "before") die();
      const answer = await (target[name] as (...all: never[]) => Promise<unknown>)(...args);
      if (counts && when === "after") die();
      if (name === "ended") ended = true;
      return answer;
    };
  },
});

if (moment === "while recording") {
  const home = join(stateDir, "runs", task.id);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  watch(home, (_, file) => {
    if (file === "run.json.new") die();
  });
}

await createSandbox({ stateDir, instance, engine }).run(task, {
  onLog(text) {
    process.stdout.write(text, () => {
      if (moment === "at output") die();
    });
  },
});
