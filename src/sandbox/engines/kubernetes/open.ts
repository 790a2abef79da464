import { KubeConfig } from "@kubernetes/client-node";
import { IchainError } from "../../../errors/error.ts";
import type { Engine } from "../engine.ts";
import { type KubernetesOptions, kubernetesEngine } from "./kubernetes.ts";

/**
 * The engine for the cluster in this machine's kubeconfig (`KUBECONFIG`, `~/.kube/config`, or a pod's service account).
 * @throws CONFIG_INVALID
 */
export function openKubernetes(
  options: (Omit<KubernetesOptions, "kubeConfig"> & { context?: string | undefined }) | undefined,
): Engine {
  if (options === undefined)
    throw misconfigured("The engine is `kubernetes`, but config.yaml has no section `kubernetes`.");
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
    if (options.context !== undefined) kubeConfig.setCurrentContext(options.context);
    if (kubeConfig.getCurrentCluster() === null)
      throw misconfigured("The kubeconfig has no such context or cluster.");
  } catch (error) {
    throw error instanceof IchainError ? error : misconfigured("The kubeconfig cannot be read.", error);
  }
  return kubernetesEngine({ ...options, kubeConfig });
}

function misconfigured(message: string, cause?: unknown): IchainError {
  return new IchainError("CONFIG_INVALID", message, {
    hint: "docs/engines.md shows what `kubernetes` in config.yaml holds.",
    cause,
  });
}
