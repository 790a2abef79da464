import type { SandboxReport } from "../ports/sandbox.ts";
import { bytes } from "../ui/format.ts";
import { type Check, explained, type Finding, forWorkers, type Patient } from "./check.ts";

/** One probe serves all checks of the sandbox: it runs real containers. */
const probes = new WeakMap<Patient, Promise<SandboxReport>>();

function probe(patient: Patient): Promise<SandboxReport> {
  let report = probes.get(patient);
  if (report === undefined) {
    report = patient.openSandbox().then((sandbox) => sandbox.probe({ signal: patient.signal }));
    probes.set(patient, report);
  }
  return report;
}

function sandboxCheck(name: string, judge: (report: SandboxReport, patient: Patient) => Finding): Check {
  return {
    name,
    async examine(patient) {
      const report = await explained(() => probe(patient), patient.signal);
      return forWorkers(patient, "status" in report ? report : judge(report, patient));
    },
  };
}

/** The engine, how well it isolates, and what it holds. */
export const sandboxChecks: readonly Check[] = [
  sandboxCheck("docker", ({ engine, engineVersion, cpus, memoryBytes }) => {
    const found = `${engine} ${engineVersion}, ${cpus} CPUs, ${bytes(memoryBytes)}`;
    return engine === "swarm"
      ? { status: "warn", found, todo: "Swarm leaves some walls to its nodes: see docs/limits.md." }
      : { status: "ok", found };
  }),
  sandboxCheck("sandbox tier", ({ tier }) =>
    tier === "gvisor" || tier === "vm"
      ? { status: "ok", found: tier }
      : {
          status: "warn",
          found: tier,
          todo: "Tasks share this machine's kernel; install runsc (gVisor) for a stronger wall.",
        },
  ),
  sandboxCheck("GPUs", ({ gpus }) => ({
    status: "ok",
    found: gpus.map(({ model, memoryBytes }) => `${model} ${bytes(memoryBytes)}`).join(", ") || "none",
  })),
  sandboxCheck("runtime images", ({ images }) =>
    images.length > 0
      ? { status: "ok", found: images.map((image) => image.name).join(", ") }
      : { status: "fail", found: "none", todo: 'Build one: "ichain runtime build python-ml".' },
  ),
];
