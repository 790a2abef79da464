import { examineNodes, openReader, openRecords, openRuntimes, openSandbox } from "../compose.ts";
import { accountChecks } from "../doctor/account.ts";
import { type DoctorContext, examine, type Finding } from "../doctor/check.ts";
import { machineChecks } from "../doctor/machine.ts";
import { sandboxChecks } from "../doctor/sandbox.ts";
import { IchainError } from "../errors/error.ts";
import { neutraliseLine } from "../protocol/neutralise.ts";
import type { CommandContext } from "./framework/declaration.ts";

type Named = Finding & { readonly name: string };

/** Examines everything that ichain leans on; ends with `DOCTOR_FAILED` when something must be mended. */
export async function run(context: CommandContext): Promise<void> {
  const { ui } = context;
  const findings = await examineMachine(context);
  const failed = findings.filter(({ status }) => status === "fail");
  ui.print({ ok: failed.length === 0, checks: findings }, () => render(context, findings));
  if (failed.length > 0) throw doctorFailed(failed);
}

/** What is found of everything that ichain leans on. */
export async function examineMachine(context: CommandContext): Promise<readonly Named[]> {
  const { ui, config, signal } = context;
  const doctor: DoctorContext = {
    config,
    signal,
    checkJournal: async () => (await openRecords(context)).close(),
    openReader: () => openReader(context),
    examineNodes: () => examineNodes(context),
    openRuntimes: () => openRuntimes(context),
    openSandbox: () => openSandbox(context),
  };
  const findings: Named[] = [];
  ui.reporter.emit({ kind: "start", id: "doctor", text: "Examining this machine" });
  for (const check of [...machineChecks, ...sandboxChecks, ...accountChecks]) {
    ui.reporter.emit({ kind: "progress", id: "doctor", text: `Examining: ${check.name}` });
    findings.push(await examine(check, doctor));
  }
  ui.reporter.emit({ kind: "end", id: "doctor", text: "Examined this machine" });
  return findings;
}

const marks = { ok: "✔", warn: "!", fail: "✖" } as const;

function render({ ui }: CommandContext, findings: readonly Named[]): string {
  return ui.table(
    ["", "CHECK", "FOUND", "TO DO"],
    findings.map(({ name, status, found, todo }) => [marks[status], name, neutraliseLine(found), todo ?? ""]),
  );
}

function doctorFailed(failed: readonly Named[]): IchainError {
  return new IchainError("DOCTOR_FAILED", `${failed.map(({ name }) => name).join(", ")}: not ready.`, {
    details: { failed: failed.map(({ name }) => name) },
  });
}
