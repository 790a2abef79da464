import type { Abortable } from "../../../async/abort.ts";
import type { ContentFile, ContentProgress } from "../../../ports/content.ts";
import { bytes as bytesText } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";

/** Of a file without `--most`. */
export const MOST_BYTES = 2 ** 30;

/** Shows how far `work` is, under `text`. */
export async function following<Result>(
  { ui, signal }: CommandContext,
  text: string,
  work: (watched: Abortable & { onProgress: ContentProgress }) => Promise<Result>,
): Promise<Result> {
  const id = "content";
  const { reporter } = ui;
  reporter.emit({ kind: "start", id, text });
  try {
    const result = await work({
      signal,
      onProgress: (done, total) =>
        reporter.emit({ kind: "progress", id, text, done, ...(total === undefined ? {} : { total }) }),
    });
    reporter.emit({ kind: "end", id, text });
    return result;
  } catch (error) {
    reporter.emit({ kind: "fail", id, text });
    throw error;
  }
}

export function describeContent({ cid, bytes, blocks }: ContentFile): string {
  return `${cid}: ${bytesText(bytes)} in ${blocks} ${blocks === 1 ? "block" : "blocks"}.`;
}
