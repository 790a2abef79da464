import type { ApiException } from "@kubernetes/client-node";
import { IchainError } from "../../../errors/error.ts";

/** The API server cannot be reached or did not answer in time. */
export function noAnswer(cause: unknown): IchainError {
  return new IchainError("DOCKER_UNAVAILABLE", "The Kubernetes API does not answer.", {
    hint: "Try `kubectl get nodes` with the same kubeconfig; the run continues by itself.",
    cause,
  });
}

export function refused(cause: ApiException<unknown>): IchainError {
  return new IchainError(
    "ENGINE_REFUSED",
    `The Kubernetes API refused (${cause.code}): ${cause.message.slice(0, 300)}`,
    {
      hint: "docs/engines.md lists what ichain's account must be allowed to do.",
      cause,
      details: { status: cause.code },
    },
  );
}

export function notStarted(why: string): IchainError {
  return new IchainError("KUBERNETES_PENDING", `The cluster does not start the task: ${why.slice(0, 300)}.`);
}

export function unsupported(what: string): IchainError {
  return new IchainError("SANDBOX_UNSUPPORTED", `ichain cannot ${what} in a Kubernetes cluster.`, {
    hint: "Push the image to a registry that the nodes reach, and list it under `kubernetes.images`.",
  });
}
