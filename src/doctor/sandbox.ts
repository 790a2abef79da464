import type { SandboxReport } from "../ports/sandbox.ts";
import { bytes, gpuText } from "../ui/format.ts";
import { asFinding, type Check, type DoctorContext, type Finding, forWorkers } from "./check.ts";
import { firstLineOf } from "./program.ts";

/** One probe serves all checks of the sandbox: it runs real containers. */
const probes = new WeakMap<DoctorContext, Promise<SandboxReport>>();

function probe(context: DoctorContext): Promise<SandboxReport> {
  let report = probes.get(context);
  if (report === undefined) {
    report = context.openSandbox().then((sandbox) => sandbox.probe({ signal: context.signal }));
    probes.set(context, report);
  }
  return report;
}

function sandboxCheck(
  name: string,
  judge: (report: SandboxReport, context: DoctorContext) => Finding | Promise<Finding>,
): Check {
  return {
    name,
    async examine(context) {
      const report = await asFinding(() => probe(context), context.signal);
      return forWorkers(context, "status" in report ? report : await judge(report, context));
    },
  };
}

/** What to add to the name of each runtime that comes with ichain. */
async function recipeStates({ openRuntimes, signal }: DoctorContext): Promise<Map<string, string>> {
  const runtimes = await openRuntimes();
  const notes = new Map<string, string>();
  for (const name of await runtimes.names()) {
    const { state, bytes: size } = await runtimes.check(name, { signal });
    if (size === undefined) continue;
    notes.set(name, ` (${bytes(size)}${state === "stale" ? ", from an older recipe" : ""})`);
  }
  return notes;
}

/** The engine, how well it isolates, and what it holds. */
export const sandboxChecks: readonly Check[] = [
  sandboxCheck("docker", ({ engine, engineVersion, cpus, memoryBytes }) => {
    const found = `${engine} ${engineVersion}, ${cpus} CPUs, ${bytes(memoryBytes)}`;
    return engine === "swarm" || engine === "kubernetes"
      ? { status: "warn", found, todo: "Some isolation is left to the cluster's nodes: see docs/limits.md." }
      : { status: "ok", found };
  }),
  sandboxCheck("sandbox tier", async ({ tier }, context) => {
    if (tier === "gvisor" || tier === "vm") return { status: "ok", found: tier };
    const runsc = await firstLineOf("runsc", ["--version"], context);
    const todo =
      runsc === undefined
        ? "Tasks share this machine's kernel: scripts/install.sh installs gVisor, which isolates better."
        : 'Tasks share this machine\'s kernel: "sandbox: {leastTier: gvisor}" in config.yaml runs them in gVisor.';
    return { status: "warn", found: tier, todo };
  }),
  sandboxCheck("GPUs", ({ gpus, gpuWay }) => {
    const found = gpus.map(gpuText).join(", ") || "none";
    if (gpuWay !== "devices") return { status: "ok", found };
    const todo =
      "Tasks get them as device nodes (docs/engines.md); NVIDIA's container toolkit does that too.";
    return { status: "ok", found, todo };
  }),
  sandboxCheck("runtime images", async ({ images }, context) => {
    if (images.length === 0)
      return { status: "fail", found: "none", todo: 'Build one: "ichain runtime build python-ml".' };
    const states = await recipeStates(context);
    const found = images.map(({ name }) => `${name}${states.get(name) ?? ""}`).join(", ");
    const stale = images.find(({ name }) => states.get(name)?.includes("older"));
    return stale === undefined
      ? { status: "ok", found }
      : { status: "warn", found, todo: `Build it again: "ichain runtime build ${stale.name}".` };
  }),
];
