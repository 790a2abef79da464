import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { ErrorCode } from "../../../errors/catalogue.ts";
import { IchainError } from "../../../errors/error.ts";
import type { AggregationTask, TaskAnswer, TaskResults } from "./thread-child.ts";

/** With this module's extension: the sources or the build. */
const script = new URL(`./thread-child${extname(import.meta.url)}`, import.meta.url);

interface Waiting {
  readonly task: AggregationTask;
  readonly answer: PromiseWithResolvers<TaskResults[AggregationTask["kind"]]>;
}

/** A few threads that share a list of tasks: each takes the next when it is done with one. */
export class Threads implements AsyncDisposable {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #busy = new Map<Worker, Waiting>();
  #waiting: Waiting[] = [];
  #failure: unknown;

  /** @param count threads, from 1 */
  constructor(count: number) {
    this.#workers = Array.from({ length: count }, () => new Worker(script, { env: {}, execArgv: [] }));
    this.#idle = [...this.#workers];
    for (const worker of this.#workers) {
      worker.on("message", (answer: TaskAnswer) => this.#answered(worker, answer));
      worker.once("error", (error) => this.#fail(error));
    }
  }

  /** @throws what the task throws, where it is an `IchainError`; the cause of a thread's end */
  do<Kind extends AggregationTask["kind"]>(
    task: Extract<AggregationTask, { kind: Kind }>,
  ): Promise<TaskResults[Kind]> {
    const answer = Promise.withResolvers<TaskResults[AggregationTask["kind"]]>();
    answer.promise.catch(() => {}); // tasks after the one whose failure the caller meets
    if (this.#failure !== undefined) answer.reject(this.#failure);
    else {
      this.#waiting.push({ task, answer });
      this.#assign();
    }
    return answer.promise as Promise<TaskResults[Kind]>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting = [];
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #assign(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const [worker, next] = [this.#idle.pop()!, this.#waiting.shift()!];
      this.#busy.set(worker, next);
      worker.postMessage(next.task);
    }
  }

  #answered(worker: Worker, answer: TaskAnswer): void {
    const { resolve, reject } = this.#busy.get(worker)!.answer;
    this.#busy.delete(worker);
    this.#idle.push(worker);
    if ("result" in answer) resolve(answer.result);
    else reject(new IchainError(answer.refused.code as ErrorCode, answer.refused.message));
    this.#assign();
  }

  #fail(error: unknown): void {
    this.#failure = error;
    for (const { answer } of [...this.#busy.values(), ...this.#waiting.splice(0)]) answer.reject(error);
    this.#busy.clear();
  }
}
