import type { Reporter } from "../ports/reporter.ts";

export interface Choice<Value> {
  readonly name: string;
  readonly value: Value;
  readonly description?: string;
}

/**
 * Questions to the person.
 * @throws NO_TTY when there is no terminal
 */
export interface Prompts {
  password(message: string): Promise<string>;
  /** Asks twice and compares; at least eight characters. */
  newPassword(message: string): Promise<string>;
  confirm(message: string, byDefault: boolean): Promise<boolean>;
  input(message: string, byDefault?: string): Promise<string>;
  select<Value>(message: string, choices: readonly Choice<Value>[]): Promise<Value>;
}

export interface Ui {
  /** Progress, on stderr. */
  readonly reporter: Reporter;
  /** True when a person sits at the terminal and neither --json nor --quiet was given. */
  readonly interactive: boolean;
  readonly json: boolean;
  readonly prompts: Prompts;
  /**
   * A command's result, on stdout: with --json one line of JSON (bigint as decimal string, bytes as
   * 0x-hex), else what `render` returns, else the data itself.
   */
  print(data: unknown, render?: () => string): void;
  /** Streamed text, on stdout: with --json one line of `data` for each piece, else `text` as it is. */
  stream(data: unknown, text: string): void;
  /** Columns aligned, cut to the terminal's width; for use inside `render`. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): string;
}
