import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Job, V1Pod } from "@kubernetes/client-node";
import fc from "fast-check";
import { Job } from "kubernetes-models/batch/v1/Job";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { isIchainError } from "../../../src/errors/error.ts";
import { jobName, manifests, RUN_LABEL } from "../../../src/sandbox/engines/kubernetes/manifests.ts";
import { kubernetesQuantity, podState } from "../../../src/sandbox/engines/kubernetes/state.ts";
import { containerSettings } from "../../../src/sandbox/policy.ts";

const place = { namespace: "jobs", claim: "data", root: "/srv/claim", runtimeClass: "gvisor" };

function rendered({
  id = "provider-00ff-produce",
  command = ["python3", "task.py", "0"],
  out = "/srv/claim/home/out",
} = {}) {
  const limits = {
    cpus: 1.5,
    memoryBytes: 2 ** 28,
    diskBytes: 2 ** 20,
    wallSeconds: 60,
    pids: 64,
    logBytes: 4096,
  };
  const inputDir = "/srv/claim/home/in";
  const settings = containerSettings(
    { id, image: "", command, inputDir, limits, gpus: [] },
    {
      instance: "0123456789ab",
      imageId: `registry.example/ml@sha256:${"0".repeat(64)}`,
      limits,
      outDir: out,
      runtime: { name: undefined, ownPids: 0, deadline: "/usr/lib/ichain/deadline" },
      cgroupParent: undefined,
      deadline: 1,
    },
  );
  return manifests(`ichain-0123456789ab-${id}`, settings, place);
}

const task = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$/),
  command: fc.array(
    fc.string({ minLength: 1 }).filter((word) => !word.includes("\0")),
    { minLength: 1 },
  ),
});

describe("a task as a Kubernetes Job", () => {
  it("satisfies the published schema of Job and NetworkPolicy", () => {
    fc.assert(
      fc.property(task, (one) => {
        const { job, policy } = rendered(one);
        new Job(job as never).validate();
        new NetworkPolicy(policy as never).validate();
        assert.match(job.metadata!.name!, /^[a-z0-9][a-z0-9-]{0,62}$/);
      }),
    );
    const { job } = rendered();
    const broken = { ...job, spec: { ...job.spec, backoffLimit: "none" } };
    assert.throws(() => new Job(broken as never).validate(), "the schema refuses an invalid Job");
  });

  it("has no privileges and no network, whatever the task", () => {
    fc.assert(
      fc.property(task, (one) => {
        const { job, policy } = rendered(one);
        const { template, backoffLimit, suspend, activeDeadlineSeconds } = job.spec!;
        const pod = template.spec!;
        assert.deepEqual([backoffLimit, suspend], [0, true]);
        assert.ok(activeDeadlineSeconds! > 60);
        assert.deepEqual(
          [pod.restartPolicy, pod.automountServiceAccountToken, pod.enableServiceLinks, pod.runtimeClassName],
          ["Never", false, false, "gvisor"],
        );
        assert.deepEqual(
          [pod.hostNetwork, pod.hostPID, pod.hostIPC, pod.shareProcessNamespace],
          Array(4).fill(false),
        );
        assert.equal(pod.securityContext?.runAsNonRoot, true);
        assert.ok(pod.securityContext!.runAsUser! >= 50_000);
        assert.deepEqual(pod.securityContext?.seccompProfile, { type: "RuntimeDefault" });
        const [container, ...more] = pod.containers;
        assert.deepEqual(more, []);
        assert.deepEqual(container?.securityContext, {
          privileged: false,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        assert.deepEqual(container?.resources?.limits, { cpu: "1500m", memory: String(2 ** 28) });
        assert.equal(
          pod.volumes?.some((volume) => volume.hostPath !== undefined),
          false,
        );
        // The kubelet reads a doubled dollar as one.
        assert.deepEqual(
          container?.args?.map((word) => word.replaceAll("$$", "$")),
          one.command,
        );
        assert.deepEqual(policy.spec, {
          podSelector: { matchLabels: { [RUN_LABEL]: template.metadata!.labels![RUN_LABEL] } },
          policyTypes: ["Ingress", "Egress"],
        });
      }),
    );
  });

  it("mounts only folders of the claim", () => {
    const mounts = rendered().job.spec!.template.spec!.containers[0]!.volumeMounts!;
    assert.deepEqual(
      mounts.map(({ name, mountPath, subPath, readOnly }) => [name, mountPath, subPath, readOnly]),
      [
        ["data", "/in", "home/in", true],
        ["data", "/out", "home/out", false],
        ["tmp", "/tmp", undefined, undefined],
        ["shm", "/dev/shm", undefined, undefined],
      ],
    );
    for (const out of ["/srv/claimed", "/srv/claim/../x", "/srv/claim", "/etc"])
      assert.throws(
        () => rendered({ out }),
        (error) => isIchainError(error, "KUBERNETES_PATH"),
        out,
      );
  });

  it("gives different names to runs that differ only in characters that Kubernetes does not allow", () => {
    assert.equal(jobName("ichain-a"), "ichain-a");
    assert.notEqual(jobName("ichain-A"), jobName("ichain-a"));
    assert.notEqual(jobName("ichain-a.b"), jobName("ichain-a_b"));
  });
});

it("the state of a container follows from its Job and pod", () => {
  const at = (seconds: number) => new Date(seconds * 1000);
  const job = (more: Partial<V1Job> = {}): V1Job => ({
    metadata: { name: "n", labels: {} },
    spec: { template: {} },
    ...more,
  });
  const pod = (state: object): V1Pod => ({
    status: {
      containerStatuses: [{ name: "task", image: "", imageID: "", ready: true, restartCount: 0, state }],
    },
  });
  const stateOf = (...args: Parameters<typeof podState>) => {
    const { status, exitCode, outOfMemory, startedAt, finishedAt } = podState(...args);
    return [status, exitCode, outOfMemory, startedAt, finishedAt];
  };
  assert.deepEqual(stateOf(job({ spec: { suspend: true, template: {} } }), undefined), [
    "created",
    0,
    false,
    0,
    0,
  ]);
  assert.deepEqual(stateOf(job({ status: { startTime: at(1) } }), undefined), ["running", 0, false, 1000, 0]);
  assert.deepEqual(stateOf(job(), pod({ running: { startedAt: at(2) } })), ["running", 0, false, 2000, 0]);
  const killed = { exitCode: 137, reason: "OOMKilled", startedAt: at(2), finishedAt: at(5) };
  assert.deepEqual(stateOf(job(), pod({ terminated: killed })), ["exited", 137, true, 2000, 5000]);
  const failed = { type: "Failed", status: "True", lastTransitionTime: at(9) };
  assert.deepEqual(stateOf(job({ status: { startTime: at(1), conditions: [failed] } }), undefined), [
    "exited",
    137,
    false,
    1000,
    9000,
  ]);
  assert.deepEqual(["3920m", "8Gi", "4", "2M", "1e3", ""].map(kubernetesQuantity), [
    3.92,
    2 ** 33,
    4,
    2e6,
    0,
    0,
  ]);
});
