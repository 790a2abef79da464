import { z } from "zod";
import { fitsIgnoringCase } from "../patterns.ts";
import { bytesSchema, bytesText } from "../quantity.ts";

/** How GPUs get into a container: by NVIDIA's container toolkit, by device nodes and libraries, or by what is there. */
export const gpuWays = ["auto", "toolkit", "devices"] as const;
export type GpuWay = (typeof gpuWays)[number];

/** GPUs that one task can have. */
export const MAX_TASK_GPUS = 16;

const pattern = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w *.+()/-]+$/, "must be a model's name, such as NVIDIA A100*");
const version = z.string().regex(/^\d{1,4}(\.\d{1,6}){0,3}$/, 'expected a version such as "550.54"');
const count = z.number().int().max(MAX_TASK_GPUS);

/** GPUs in job.yaml: how many, or how many of which kind. */
export const gpusSchema = z.union([
  count.min(0),
  z.strictObject({
    count: count.min(1).default(1).describe("How many"),
    model: z
      .union([pattern, z.array(pattern).min(1).max(8)])
      .optional()
      .describe(
        "Model as `ichain providers` names it, or a list of them; `*` stands for any text, case is ignored",
      ),
    memory: bytesSchema.optional().describe("Memory of each GPU, at least"),
    driver: z
      .union([version, z.number().int().min(1).max(9999).transform(String)])
      .optional()
      .describe("Version of the driver, at least: `535`, `550.54`"),
  }),
]);

/** What each GPU of a task must be, in a spec. */
export const gpuDemandSchema = z.strictObject({
  models: z.array(pattern).min(1).max(8).optional(),
  memory: z
    .number()
    .int()
    .positive()
    .max(2 ** 50)
    .optional(),
  driver: version.optional(),
});
export type GpuDemand = z.infer<typeof gpuDemandSchema>;

/** The GPUs of job.yaml as a spec has them: a number, and what each must be where the job says so. */
export function gpuFields(gpus: z.infer<typeof gpusSchema>): { gpus: number; gpu?: GpuDemand } {
  if (typeof gpus === "number") return { gpus };
  const { count: number, model, memory, driver } = gpus;
  const models = typeof model === "string" ? [model] : model;
  const asked = { ...(models && { models }), ...(memory && { memory }), ...(driver && { driver }) };
  return { gpus: number, ...(Object.keys(asked).length > 0 && { gpu: asked }) };
}

/** A GPU, or several equal ones, as a machine or its offer describes it. */
export interface GpuFacts {
  readonly model: string;
  readonly memoryBytes: number;
  /** Version of its driver; empty or absent where it is not known. */
  readonly driver?: string | undefined;
  readonly count?: number | undefined;
}

const tests: readonly ((gpu: GpuFacts, demand: GpuDemand) => boolean)[] = [
  () => true,
  ({ model }, { models }) => models === undefined || models.some((one) => fitsIgnoringCase(one, model)),
  ({ memoryBytes }, { memory = 0 }) => memoryBytes >= memory,
  ({ driver = "" }, { driver: least }) => least === undefined || isAtLeast(driver, least),
];

/** Whether one GPU is what a task asks for. */
export function meetsDemand(gpu: GpuFacts, demand: GpuDemand = {}): boolean {
  return tests.every((passes) => passes(gpu, demand));
}

/** A demand that GPUs do not meet. */
export interface Unmet {
  /** How much of the demand they do meet: the larger, the more. */
  readonly met: number;
  /** What they are not, for people: `2 GPUs of the model NVIDIA A100*`. */
  readonly text: string;
}

/** The first part of a task's demand that these GPUs do not meet together; undefined when they meet it all. */
export function unmetGpus(
  gpus: readonly GpuFacts[],
  { gpus: wanted, gpu: demand = {} }: { readonly gpus: number; readonly gpu?: GpuDemand | undefined },
): Unmet | undefined {
  let left = gpus;
  for (const [met, passes] of tests.entries()) {
    left = left.filter((gpu) => passes(gpu, demand));
    if (left.reduce((sum, { count: each = 1 }) => sum + each, 0) < wanted)
      return { met, text: [wanted === 1 ? "a GPU" : `${wanted} GPUs`, ...words(demand, met)].join(" ") };
  }
  return undefined;
}

function words({ models, memory, driver }: GpuDemand, upTo: number): string[] {
  const parts = [
    models && `of the model ${models.join(" or ")}`,
    memory === undefined ? undefined : `with ${bytesText(memory)} of memory`,
    driver && `with driver ${driver} or later`,
  ];
  return parts.slice(0, upTo).filter((part) => part !== undefined);
}

/** Compares versions number by number; one that is not known is older than all. */
function isAtLeast(have: string, least: string): boolean {
  if (!/^\d+(\.\d+)*$/.test(have)) return false;
  const [a, b] = [have, least].map((text) => text.split(".").map(Number)) as [number[], number[]];
  const at = b.findIndex((part, i) => part !== (a[i] ?? 0));
  return at === -1 || (a[at] ?? 0) > b[at]!;
}
