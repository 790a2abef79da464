/** Progress of a role; `ui/` shows it on stderr. */
export type ProgressEvent =
  /** A step began; its end has the same `id`. */
  | { kind: "start"; id: string; text: string }
  | { kind: "progress"; id: string; text: string; done?: number; total?: number }
  | { kind: "end"; id: string; text: string }
  | { kind: "fail"; id: string; text: string }
  | { kind: "info"; text: string }
  | { kind: "warn"; text: string };

export interface Reporter {
  emit(event: ProgressEvent): void;
}
