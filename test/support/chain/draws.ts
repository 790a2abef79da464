/** `text` of the digits job, with this many validators. */
export function withValidators(text: string, validators: number): string {
  return text.replace(/threshold: 0\.95\n/, `threshold: 0.95\n  validators: ${validators}\n`);
}
