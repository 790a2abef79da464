import { z } from "zod";
import type { Terms } from "../job/terms.ts";
import type { Spec } from "./spec.ts";

/**
 * How a task fails by its own fault, so that a validator that runs it again sees the same. A deadline is not among them,
 * because machines differ in speed, nor is a signal, which may come from the machine.
 */
const texts = {
  exit: "the task exited with an error",
  memory: "the task ran out of memory",
  disk: "the task wrote more than its disk",
  unfit: "the task left something in /out that cannot be delivered",
  missing: "the task did not leave all the outputs that its spec names",
  metric: "the task printed no metric",
} as const;

export const failureKinds = Object.keys(texts) as (keyof typeof texts)[];

export const failureSchema = z.strictObject({
  /** The command's argument in the run that failed: 0 makes the result, 1 measures it. */
  run: z.enum(["0", "1"]),
  kind: z.enum(failureKinds),
  exitCode: z.number().int().min(0).max(255),
});
/** A failure that a provider claims; validators run the task again and look for the same. */
export type Failure = z.infer<typeof failureSchema>;

/** Exit codes from here on come from the program that watches the time (124, 125), from a shell, or from a signal. */
const FIRST_FOREIGN_CODE = 124;

/** Whether a task exits with this code of its own accord, as far as the code shows. */
export const isOwnExitCode = (exitCode: number): boolean => exitCode > 0 && exitCode < FIRST_FOREIGN_CODE;

/** Whether one failure is the other. What kills a task decides its exit code, which may differ between engines. */
export function isSameFailure(one: Failure, other: Failure): boolean {
  const alike = one.run === other.run && one.kind === other.kind;
  return alike && (one.kind !== "exit" || one.exitCode === other.exitCode);
}

/**
 * Whether a provider can be paid for a failure: where validators can confirm it. A job with GPUs is given back, because
 * a fault of a GPU or its driver looks like one of the task.
 */
export function isFailurePaid(
  { effort, validators }: Pick<Terms, "effort" | "validators">,
  { resources }: Pick<Spec, "resources">,
): boolean {
  return effort > 0 && validators > 0 && resources.gpus === 0;
}

/** The failure for people. */
export function failureText({ run, kind, exitCode }: Failure): string {
  const code = kind === "exit" ? ` (code ${exitCode})` : "";
  return `${texts[kind]}${code}${run === "1" ? " when it measured its result" : ""}`;
}

const noteSchema = z.strictObject({ failure: failureSchema });

/** What the manifest of a parcel carries that is delivered in place of a result. */
export const failureNote = (failure: Failure): z.infer<typeof noteSchema> => ({ failure });

/**
 * The failure that a delivered parcel claims; undefined for a result. The note is signed by the provider and no file of
 * the task's, so that neither a task nor a requester can make a result look like a failure.
 */
export function failureIn(note: unknown): Failure | undefined {
  const parsed = noteSchema.safeParse(note);
  return parsed.success ? parsed.data.failure : undefined;
}
