import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { PickleSign } from "../../protocol/task/pickle.ts";
import type { ResultContents, TensorFile } from "../../roles/job/requester/result/contents.ts";
import { bytes, table } from "../../ui/format.ts";

/** Lines for people: at most so many files of each kind, and tensors of each file. */
const FILES = 8;
const TENSORS = 12;
const NAME_CHARS = 60;

const pickleKinds: Readonly<Record<PickleSign, string>> = {
  name: "is a pickle by its name",
  pickle: "is a pickle",
  torch: "is a PyTorch archive with a pickle in it",
  objects: "is a NumPy array of pickled objects",
};

const DANGER =
  "  Loading one runs code of its author's choice with all your rights: it can read files, keys and the wallet. " +
  "Load it in a sandbox only, or have the task write safetensors, ONNX or JSON.";

/** What `--json` prints of an opened result's contents. */
export function contentsData({ tensorFiles, pickles, damaged }: ResultContents) {
  return {
    tensorFiles: tensorFiles.map(({ tensors, ...file }) => ({
      ...file,
      tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    })),
    pickles,
    damaged: damaged.map(({ file, error: { code, message, hint } }) => ({ file, code, message, hint })),
  };
}

/** The same for people. Names are a stranger's: they are cut, and cannot control the terminal. */
export function contentsText({ tensorFiles, pickles, damaged }: ResultContents): string[] {
  return [
    ...firstOf(tensorFiles, "safetensors files", tensorLines),
    ...firstOf(damaged, "files that cannot be read", ({ file, error }) => [
      `! ${cut(file)}: ${neutraliseLine(error.message)} ${error.hint}`,
    ]),
    ...firstOf(pickles, "pickles", ({ file, sign }) => [`! ${cut(file)} ${pickleKinds[sign]}.`]),
    ...(pickles.length > 0 ? [DANGER] : []),
  ];
}

function tensorLines({ file, count, elements, dataBytes, tensors }: TensorFile): string[] {
  const rows = tensors
    .slice(0, TENSORS)
    .map(({ name, dtype, shape }) => [`  ${cut(name)}`, dtype, cut(`[${shape.join(", ")}]`)]);
  const more = count - rows.length;
  return [
    `${cut(file)}: ${count} tensors, ${elements} numbers, ${bytes(dataBytes)}`,
    ...(rows.length > 0 ? [table(["  NAME", "DTYPE", "SHAPE"], rows)] : []),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** Lines of the first `FILES` items, and how many more there are. */
function firstOf<Item>(items: readonly Item[], what: string, lines: (item: Item) => string[]): string[] {
  const more = items.length - FILES;
  return [...items.slice(0, FILES).flatMap(lines), ...(more > 0 ? [`and ${more} more ${what}`] : [])];
}

function cut(text: string): string {
  const safe = neutraliseLine(text);
  return safe.length > NAME_CHARS ? `${safe.slice(0, NAME_CHARS - 1)}…` : safe;
}
