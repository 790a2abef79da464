import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { bareEnvironment, temporaryFolder } from "../support/binary.ts";

const source = (name: string) => JSON.stringify(new URL(`../../src/${name}`, import.meta.url).href);

/** Runs `main` with a command that says what it sees, and never ends by itself. */
const program = `
  const { commandTable } = await import(${source("commands/program.ts")});
  const run = async ({ signal, ui }) => {
    signal.addEventListener("abort", () => ui.print({ event: "ending" }));
    ui.print({ event: "working" });
    await new Promise(() => setInterval(() => undefined, 1000));
  };
  Object.assign(commandTable.find(({ name }) => name === "status"), { load: async () => ({ run }) });
  const { main } = await import(${source("main.ts")});
  await main(["status", "--json"]);
`;

for (const name of ["SIGINT", "SIGTERM"] as const) {
  test(`a first ${name} lets a daemon end, and a second ends it at once`, async (t) => {
    using home = temporaryFolder();
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      ...{ env: bareEnvironment({ ICHAIN_HOME: home.path }), stdio: ["ignore", "pipe", "inherit"] },
    });
    t.after(() => child.kill("SIGKILL"));
    const ended = once(child, "close");
    const seen: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push((JSON.parse(line) as { event: string }).event);
      child.kill(name);
    }
    assert.deepEqual(seen, ["working", "ending"]);
    assert.deepEqual(await ended, [130, null]);
  });
}
