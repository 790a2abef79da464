/**
 * Whether the whole text fits a pattern in which `*` stands for any text. The time grows with the product of both
 * lengths at most, unlike that of a regular expression with many stars.
 */
export function fitsPattern(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return first === text;
  if (!text.startsWith(first)) return false;
  const last = rest.pop()!;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** The same for names that differ in upper and lower case from place to place. */
export function fitsIgnoringCase(pattern: string, text: string): boolean {
  return fitsPattern(pattern.toLowerCase(), text.toLowerCase());
}
