/** What a role tells while it works; `ui/` draws it on stderr, logic never prints. */
export type ProgressEvent =
  /** A step began; `id` pairs it with its end. */
  | { kind: "start"; id: string; text: string }
  | { kind: "progress"; id: string; text: string; done?: number; total?: number }
  | { kind: "end"; id: string; text: string }
  | { kind: "fail"; id: string; text: string }
  | { kind: "info"; text: string }
  | { kind: "warn"; text: string };

export interface Reporter {
  emit(event: ProgressEvent): void;
}
