import type { SandboxReport } from "../ports/sandbox.ts";
import { bytes } from "../ui/format.ts";
import { asFinding, type Check, type DoctorContext, type Finding, forWorkers } from "./check.ts";
import { firstLineOf } from "./program.ts";

/** One probe serves all checks of the sandbox: it runs real containers. */
const probes = new WeakMap<DoctorContext, Promise<SandboxReport>>();

function probe(patient: DoctorContext): Promise<SandboxReport> {
  let report = probes.get(patient);
  if (report === undefined) {
    report = patient.openSandbox().then((sandbox) => sandbox.probe({ signal: patient.signal }));
    probes.set(patient, report);
  }
  return report;
}

function sandboxCheck(
  name: string,
  judge: (report: SandboxReport, patient: DoctorContext) => Finding | Promise<Finding>,
): Check {
  return {
    name,
    async examine(patient) {
      const report = await asFinding(() => probe(patient), patient.signal);
      return forWorkers(patient, "status" in report ? report : await judge(report, patient));
    },
  };
}

/** What to say behind the name of each runtime that comes with ichain. */
async function recipeStates({ openRuntimes, signal }: DoctorContext): Promise<Map<string, string>> {
  const runtimes = await openRuntimes();
  const told = new Map<string, string>();
  for (const name of await runtimes.names()) {
    const { state, bytes: size } = await runtimes.check(name, { signal });
    if (size === undefined) continue;
    told.set(name, ` (${bytes(size)}${state === "stale" ? ", from an older recipe" : ""})`);
  }
  return told;
}

/** The engine, how well it isolates, and what it holds. */
export const sandboxChecks: readonly Check[] = [
  sandboxCheck("docker", ({ engine, engineVersion, cpus, memoryBytes }) => {
    const found = `${engine} ${engineVersion}, ${cpus} CPUs, ${bytes(memoryBytes)}`;
    return engine === "swarm" || engine === "kubernetes"
      ? { status: "warn", found, todo: "Some walls are left to the cluster's nodes: see docs/limits.md." }
      : { status: "ok", found };
  }),
  sandboxCheck("sandbox tier", async ({ tier }, patient) => {
    if (tier === "gvisor" || tier === "vm") return { status: "ok", found: tier };
    const runsc = await firstLineOf("runsc", ["--version"], patient);
    const todo =
      runsc === undefined
        ? "Tasks share this machine's kernel: scripts/install.sh brings gVisor, a stronger wall."
        : 'Tasks share this machine\'s kernel: "sandbox: {leastTier: gvisor}" in config.yaml runs them in gVisor.';
    return { status: "warn", found: tier, todo };
  }),
  sandboxCheck("GPUs", ({ gpus }) => ({
    status: "ok",
    found: gpus.map(({ model, memoryBytes }) => `${model} ${bytes(memoryBytes)}`).join(", ") || "none",
  })),
  sandboxCheck("runtime images", async ({ images }, patient) => {
    if (images.length === 0)
      return { status: "fail", found: "none", todo: 'Build one: "ichain runtime build python-ml".' };
    const states = await recipeStates(patient);
    const found = images.map(({ name }) => `${name}${states.get(name) ?? ""}`).join(", ");
    const stale = images.find(({ name }) => states.get(name)?.includes("older"));
    return stale === undefined
      ? { status: "ok", found }
      : { status: "warn", found, todo: `Build it anew: "ichain runtime build ${stale.name}".` };
  }),
];
