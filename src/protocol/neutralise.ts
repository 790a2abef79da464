/**
 * Characters that control a terminal or change how text reads: controls (C0, C1, and so every escape sequence),
 * direction marks and overrides, line and paragraph separators, zero-width characters, fillers, tags, private and
 * unassigned characters. The two variation selectors of emoji are allowed.
 */
const UNSAFE = String.raw`(?![\ufe0e\ufe0f])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`;
const unsafe = new RegExp(UNSAFE, "gu");
const unsafeInText = new RegExp(`(?![\\n\\t])${UNSAFE}`, "gu");

/**
 * Makes another party's output safe to print: it can no longer move the cursor, set window titles or reorder text.
 * Each unsafe character but newline and tab becomes `·`; a carriage return, as progress bars print it, becomes a newline.
 */
export function neutralise(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(unsafeInText, "·");
}

/** The same for one line or one cell of a table, where newlines and tabs are unsafe too. */
export function neutraliseLine(text: string): string {
  return text.replace(unsafe, "·");
}

/** The same for JSON text: unsafe characters, which its strings may contain, become `\u` escapes. The value is unchanged. */
export function escapeUnsafe(json: string): string {
  return json.replace(unsafe, (found) =>
    Array.from(
      { length: found.length },
      (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
