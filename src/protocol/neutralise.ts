/**
 * Takes the power to move cursors, retitle windows or reorder text out of a stranger's output: every
 * control and direction-changing character but newline and tab becomes `·`; a carriage return, as
 * progress bars print it, becomes a newline.
 */
export function neutralise(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{C}\n\t]|[\u2028\u2029]/gu, "·");
}
