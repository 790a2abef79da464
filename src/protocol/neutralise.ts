/**
 * What has power over a terminal or over its reader's eyes: controls (C0, C1, so every escape sequence), marks and
 * overrides of direction, line and paragraph separators, and what takes up no place: zero-width characters,
 * fillers, tags, private and unassigned ones. Emoji keep the selectors of their looks.
 */
const POWERFUL = String.raw`(?![\ufe0e\ufe0f])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`;
const anyPowerful = new RegExp(POWERFUL, "gu");
const butLayout = new RegExp(`(?![\\n\\t])${POWERFUL}`, "gu");

/**
 * Takes the power to move cursors, retitle windows or reorder text out of a stranger's output: every such
 * character but newline and tab becomes `·`; a carriage return, as progress bars print it, becomes a newline.
 */
export function neutralise(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(butLayout, "·");
}

/** The same for one line or one cell of a table, where newlines and tabs have power too. */
export function harmless(text: string): string {
  return text.replace(anyPowerful, "·");
}

/** The same for JSON: such characters, which its strings may hold as they are, become `\u` escapes; nothing is lost. */
export function escapePowerful(json: string): string {
  return json.replace(anyPowerful, (found) =>
    Array.from(
      { length: found.length },
      (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
