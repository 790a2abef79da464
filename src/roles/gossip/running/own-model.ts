import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { IchainError } from "../../../errors/error.ts";
import { type Model, readModel, writeModel } from "../../../protocol/federated/model-file.ts";

/** A peer's model as it stands, on disk before it is told to others. */
export class OwnModelFile {
  /** The file. */
  readonly path: string;
  #model: Model;

  private constructor(path: string, model: Model) {
    this.path = path;
    this.#model = model;
  }

  /** The one of the process before, or the one that all begin with. @throws MODEL_INVALID */
  static async open(path: string, start: Model): Promise<OwnModelFile> {
    const bytes = await readFile(path).catch(() => undefined);
    const model = bytes === undefined ? start : readModel(bytes);
    if (JSON.stringify(model.layout) !== JSON.stringify(start.layout))
      throw new IchainError("MODEL_INVALID", `The model ${path} is of another form than the network's.`);
    const file = new OwnModelFile(path, model);
    if (bytes === undefined) await file.replace(model);
    return file;
  }

  get model(): Model {
    return this.#model;
  }

  /** Writes it to another file. */
  readonly copyTo = async (path: string): Promise<boolean> => {
    await copyFile(this.path, path);
    return true;
  };

  async replace(model: Model): Promise<void> {
    await writeFile(`${this.path}.new`, writeModel(model), { mode: 0o600, flush: true });
    await rename(`${this.path}.new`, this.path);
    this.#model = model;
  }
}
