import type { CatalogueEntry } from "../entry.ts";

/** Engines, images, runs and their outputs. */
export const sandboxErrors = {
  CONTAINER_STUCK: {
    class: "unavailable",
    hint: "Restart the Docker engine, then remove the container that is named.",
  },
  DOCKERFILE_REFUSED: {
    class: "refused",
    hint: "Use FROM a runtime that the provider holds, RUN, COPY, ENV and WORKDIR, and nothing from a network.",
  },
  DOCKER_UNAVAILABLE: {
    class: "unavailable",
    retryable: true,
    hint: 'Start the engine, or name its socket under docker in config.yaml; "ichain doctor" checks it.',
  },
  ENGINE_MISSING: {
    class: "unavailable",
    retryable: true,
    hint: "Restart the engine that has the task's GPUs, or load the image on another one.",
  },
  ENGINE_REFUSED: { class: "unavailable", hint: "`ichain doctor` shows what the engine can do here." },
  BENCHMARK_FAILED: {
    class: "failed",
    retryable: true,
    hint: "Run it again with --json: details.log has the end of what it printed.",
  },
  GPU_ABSENT: { class: "refused", hint: "Ask for fewer GPUs, or choose a provider with more." },
  GPU_UNREACHABLE: {
    class: "refused",
    hint: "Install NVIDIA's container toolkit, or see docs/engines.md on `sandbox.gpu`.",
  },
  GPU_BUSY: { class: "unavailable", retryable: true, hint: "Wait until a running job ends." },
  IMAGE_BUILD_FAILED: {
    class: "refused",
    hint: "Read the end of the build's output; the job is not accepted.",
  },
  IMAGE_NAME_INVALID: {
    class: "usage",
    hint: "Write the registry's host before the name, such as docker.io/library/debian or ghcr.io/me/mine.",
  },
  IMAGE_UNPUBLISHED: {
    class: "unavailable",
    hint: "Check the name, and the login by `docker login`; docker's own words are above.",
  },
  IMAGE_PULL_FAILED: {
    class: "refused",
    hint: "`docker pull` of the same name by hand shows more; a policy's pulledImages limits time and size.",
  },
  IMAGE_MALFORMED: {
    class: "untrusted",
    hint: "An image archive is a root filesystem as an uncompressed tar, as `docker export` writes it.",
  },
  IMAGE_REFUSED: {
    class: "refused",
    hint: "Use an image built by `ichain runtime build`, or remove the image's own settings.",
  },
  IMAGE_UNKNOWN: {
    class: "refused",
    hint: "`ichain runtime list` shows the images held; `ichain runtime build NAME` builds one.",
  },
  KUBERNETES_PATH: {
    class: "config",
    hint: "Keep ichain's home folder (ICHAIN_HOME) on the volume of `kubernetes.claim`.",
  },
  KUBERNETES_PENDING: {
    class: "unavailable",
    retryable: true,
    hint: "Run `kubectl describe pod`: the image, the claim or free resources may be missing.",
  },
  LIMITS_INVALID: {
    class: "refused",
    hint: "Ask for more in the job's resources, or raise the sandbox limits of this machine.",
  },
  OUTPUTS_LOST: {
    class: "unavailable",
    hint: "Change nothing in the folder of ichain's sandbox; after a power cut a task may have to run again.",
  },
  OUTPUT_TOO_LARGE: { class: "untrusted", hint: "Ask for more disk in the job, or write less." },
  OUTPUT_UNSAFE: {
    class: "untrusted",
    hint: "A task may leave regular files and folders in /out, nothing else.",
  },
  RECIPES_UNREADABLE: {
    class: "config",
    hint: "Correct the list `recipes` in config.yaml: folders that hold <name>/recipe.yaml each.",
  },
  RECIPE_AMBIGUOUS: {
    class: "config",
    hint: "Rename one of the two folders; the names of ichain's own runtimes are taken.",
  },
  RECIPE_MALFORMED: {
    class: "config",
    hint: "Correct the named field of the named recipe.yaml.",
  },
  RUNTIME_BUILD_FAILED: {
    class: "unavailable",
    retryable: true,
    hint: "Building needs root, the package mmdebstrap, and a Debian mirror in the machine's apt sources.",
  },
  RUNTIME_NOT_READY: {
    class: "failed",
    hint: '"ichain runtime build NAME" builds it from its present recipe.',
  },
  RUNTIME_UNKNOWN: { class: "usage", hint: '"ichain runtime list" shows the recipes.' },
  RUN_BUSY: { class: "internal", hint: "Wait until the first call has ended." },
  RUN_LOST: {
    class: "unavailable",
    retryable: true,
    hint: "Run it again, and do not remove containers named ichain-….",
  },
  SANDBOX_DISK_FULL: {
    class: "unavailable",
    retryable: true,
    hint: "Free some space; `ichain runtime list` shows the size of images.",
  },
  SANDBOX_OPEN: {
    class: "unavailable",
    hint: 'A swarm\'s nodes need "bridge": "none", "no-new-privileges": true and "seccomp-profile" in /etc/docker/daemon.json.',
  },
  SANDBOX_UNSUPPORTED: {
    class: "unavailable",
    hint: "`ichain doctor` shows what this machine lacks to run tasks.",
  },
  SWARM_FULL: {
    class: "unavailable",
    retryable: true,
    hint: "Run `docker node ls`: nodes may be down, drained, or busy with other tasks.",
  },
  SWARM_IMAGE_MISSING: {
    class: "unavailable",
    retryable: true,
    hint: "Load the image on every node: `docker save IMAGE | ssh NODE docker load`.",
  },
  SWARM_INACTIVE: {
    class: "unavailable",
    hint: "Run `docker swarm init` on this machine, or `docker swarm join` with the manager's token.",
  },
  SWARM_NODE_LOST: {
    class: "unavailable",
    retryable: true,
    hint: "Nothing to do: the task starts again on another node, or waits for one.",
  },
  SWARM_REJECTED: {
    class: "unavailable",
    retryable: true,
    hint: "Every node must reach ichain's home folder at the same path when `swarm.shared` is set.",
  },
  TASK_INVALID: { class: "refused", hint: "No machine can run the job's spec; release the job." },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
