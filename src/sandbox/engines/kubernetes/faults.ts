import type { ApiException } from "@kubernetes/client-node";
import { IchainError } from "../../../errors/error.ts";

/** The API server cannot be reached, or did not answer in time. */
export function answerless(cause: unknown): IchainError {
  return new IchainError("The Kubernetes API does not answer.", {
    code: "DOCKER_UNAVAILABLE",
    class: "unavailable",
    hint: "Try `kubectl get nodes` with the same kubeconfig; the run is taken up again by itself.",
    retryable: true,
    cause,
  });
}

export function refused(cause: ApiException<unknown>): IchainError {
  return new IchainError(`The Kubernetes API refused (${cause.code}): ${cause.message.slice(0, 300)}`, {
    code: "ENGINE_REFUSED",
    class: "unavailable",
    hint: "docs/engines.md lists what ichain's account must be allowed to do.",
    cause,
    details: { status: cause.code },
  });
}

export function notStarted(why: string): IchainError {
  return new IchainError(`The cluster does not start the task: ${why.slice(0, 300)}.`, {
    code: "KUBERNETES_PENDING",
    class: "unavailable",
    hint: "Look at `kubectl describe pod`: the image, the claim or room for it may be missing.",
    retryable: true,
  });
}

export function cannot(what: string): IchainError {
  return new IchainError(`ichain cannot ${what} in a Kubernetes cluster.`, {
    code: "SANDBOX_UNSUPPORTED",
    class: "unavailable",
    hint: "Push the image to a registry that the nodes reach, and list it under `kubernetes.images`.",
  });
}
