import { createServer, type IncomingMessage } from "node:http";
import type { TestContext } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";

interface ApiObject {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Record<string, unknown>;
  readonly status?: object;
}

export interface FakeApi {
  readonly kubeConfig: KubeConfig;
  /** Method, path and content type of every request, in order. */
  readonly requests: readonly string[];
  /** Existing Jobs and NetworkPolicies by `kind/name`. */
  readonly objects: ReadonlyMap<string, ApiObject>;
}

const PATH = /\/namespaces\/[^/]+\/(?<kind>\w+)(?:\/(?<name>[^/]+))?(?:\/(?<more>\w+))?$/;
const node = { metadata: {}, status: { allocatable: { cpu: "3920m", memory: "8Gi" } } };

/**
 * A fake of the calls of the Kubernetes API that the engine makes. It tests the form of requests and the reading of
 * answers, not a cluster: the pod of a started Job runs nothing and is terminated at once with the state `ended` and
 * the log `log`.
 */
export async function fakeKubernetesApi(
  t: Pick<TestContext, "after">,
  { ended, log }: { ended: object; log: string },
): Promise<FakeApi> {
  const objects = new Map<string, ApiObject>();
  const requests: string[] = [];

  function list(kind: string, selector: string): ApiObject[] {
    const held = [...objects].filter(([path]) => path.startsWith(kind === "pods" ? "jobs/" : `${kind}/`));
    const labelled = held
      .map(([, object]) => object)
      .filter(({ metadata }) =>
        selector.split(",").every((pair) => {
          const [key = "", value] = pair.split("=");
          return key === "" || metadata.labels[key] === value;
        }),
      );
    if (kind !== "pods") return labelled;
    const status = { containerStatuses: [{ name: "task", state: { terminated: ended } }] };
    return labelled
      .filter(({ spec }) => spec.suspend === false)
      .map(({ metadata }) => ({ metadata: { ...metadata, name: `${metadata.name}-pod` }, spec: {}, status }));
  }

  function answer(method: string, { pathname, searchParams }: URL, body: ApiObject | undefined): unknown {
    if (pathname === "/api/v1/nodes") return { items: [node] };
    const { kind = "", name = "", more } = PATH.exec(pathname)?.groups ?? {};
    if (more === "log") return log;
    if (method === "POST" && body) objects.set(`${kind}/${body.metadata.name}`, body);
    if (method === "POST") return body;
    if (name === "") return { items: list(kind, searchParams.get("labelSelector") ?? "") };
    const found = objects.get(`${kind}/${name}`);
    if (method === "PATCH") Object.assign(found?.spec ?? {}, body?.spec);
    if (method === "DELETE") objects.delete(`${kind}/${name}`);
    return found;
  }

  const server = createServer(async (request, response) => {
    const { method = "", url = "/", headers } = request;
    const at = new URL(url, "http://api");
    requests.push(`${method} ${at.pathname} ${headers["content-type"] ?? ""}`.trim());
    const text = await read(request);
    const answered = answer(method, at, text === "" ? undefined : (JSON.parse(text) as ApiObject));
    if (typeof answered === "string") return response.end(answered);
    response.statusCode = answered === undefined ? 404 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answered ?? { kind: "Status", code: 404 }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const kubeConfig = new KubeConfig();
  const cluster = { name: "fake", server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  kubeConfig.loadFromClusterAndUser(cluster, { name: "nobody" });
  return { kubeConfig, requests, objects };
}

async function read(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
