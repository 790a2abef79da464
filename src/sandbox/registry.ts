import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AbortOptions } from "../async/abort.ts";
import { childEnvironment } from "../config.ts";
import { IchainError } from "../errors/error.ts";
import { type DockerOptions, dockerClient } from "./engines/client.ts";

/** Images of registries, for who names one in a job. */
export interface Registry {
  /**
   * `host/name@sha256:…` of what `name`, with a tag or without, stands for now.
   * @throws IMAGE_UNPUBLISHED
   */
  reference(name: string, options?: AbortOptions): Promise<string>;
  /**
   * Publishes a held image as `name`, with the logins of the `docker` program; its progress goes to the standard error output.
   * @throws IMAGE_UNPUBLISHED
   */
  push(image: string, name: string, options?: AbortOptions): Promise<void>;
}

/** The registries as the local engine reaches them. */
export function openRegistry(options: DockerOptions): Registry {
  const { docker, call } = dockerClient(options);
  return {
    async reference(name, abortOptions) {
      try {
        const { Descriptor } = await call(
          (bounded) => docker.getImage(name).distribution(bounded as object),
          abortOptions,
        );
        return `${plainName(name)}@${Descriptor.digest}`;
      } catch (error) {
        abortOptions?.signal?.throwIfAborted();
        throw unpublished(`No registry answers with the image ${name}.`, error);
      }
    },
    async push(image, name, { signal } = {}) {
      for (const args of [
        ["tag", image, name],
        ["push", name],
      ]) {
        const child = spawn("docker", args, {
          env: childEnvironment(),
          stdio: ["ignore", 2, 2],
          ...(signal && { signal }),
        });
        const [code] = await once(child, "close").catch((error: unknown) => {
          signal?.throwIfAborted();
          throw unpublished("The docker program cannot be started.", error);
        });
        if (code !== 0) throw unpublished(`docker ${args[0]} ended with ${code}.`);
      }
    },
  };
}

/** Without its tag: a colon after the last slash begins one, a colon before it a port. */
function plainName(name: string): string {
  const [plain = ""] = name.split("@");
  const colon = plain.lastIndexOf(":");
  return colon > plain.lastIndexOf("/") ? plain.slice(0, colon) : plain;
}

function unpublished(message: string, cause?: unknown): IchainError {
  return new IchainError("IMAGE_UNPUBLISHED", message, { cause });
}
