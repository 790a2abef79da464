import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { TestMarket } from "./market.ts";

/** In every exam of `examJob`. */
export const MARKER = "only-validators-may-read-this";

/** Learns where ones begin, or delivers what needs no learning; measures on the exam. */
const TASK = `
import json, sys
if sys.argv[1] == "0":
    rows = json.load(open("/in/train.json"))
    how = open("/in/how").read()
    ones, zeros = [x for x, y in rows if y], [x for x, y in rows if not y]
    models = {
        "learn": {"cut": (min(ones) + max(zeros)) / 2},
        "labels": {"table": {str(x): y for x, y in rows}},
        "start": {"cut": 0},
    }
    text = json.dumps(models[how]) if how in models else "noise"
    open("/out/model.json", "w").write(text)
else:
    model = json.load(open("/out/model.json"))
    rows = json.load(open("/in/exam/test.json"))["rows"]
    say = lambda x: model["table"].get(str(x), 0) if "table" in model else int(x >= model["cut"])
    print("acc:", sum(say(x) == y for x, y in rows) / len(rows))
`;

/** A job with an exam; resolves with the path of its job.yaml. */
export async function examJob({ dir }: TestMarket, how: string): Promise<string> {
  const folder = join(dir, `job-${how}`);
  await mkdir(folder);
  const rows = (from: number) =>
    Array.from({ length: 40 }, (_, i) => [from + 10 * i, from + 10 * i >= 200 ? 1 : 0]);
  await writeFile(join(folder, "task.py"), TASK);
  await writeFile(join(folder, "how"), how);
  await writeFile(join(folder, "train.json"), JSON.stringify(rows(1)));
  await writeFile(join(folder, "test.json"), JSON.stringify({ marker: MARKER, rows: rows(4) }));
  const job = {
    ...{
      version: 1,
      name: how,
      image: "python-ml",
      command: ["python3", "task.py"],
      price: 0.1,
      effort: 0.25,
    },
    ...{ inputs: ["task.py", "how", "train.json"], outputs: ["model.json"] },
    verification: { mode: "exam", inputs: ["test.json"], metric: "acc", threshold: 0.9 },
  };
  await writeFile(join(folder, "job.yaml"), stringify(job));
  return join(folder, "job.yaml");
}

/** Submits it to the best provider, with the best validator. */
export const submitArgs = (file: string) => ["submit", file, "--provider", "best", "--validator", "best"];
