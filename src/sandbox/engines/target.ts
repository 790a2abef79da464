import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { sshAgent } from "./ssh.ts";

/** How an engine is reached. */
export type Target =
  /** Unix socket on this machine. */
  | { readonly socketPath: string }
  /** `tcp://host:port` over TLS; both sides authenticate by certificates (PEM). */
  | { readonly url: string; readonly ca: string; readonly cert: string; readonly key: string }
  /** `ssh://[user@]host[:port]`, with the keys, known hosts and settings of this machine's ssh. */
  | { readonly url: string };

/** The target as shown in messages. */
export function nameOf(target: Target): string {
  return "socketPath" in target ? target.socketPath : target.url;
}

/** Options of dockerode for a target. Each call has a new connection, because the engine may have closed a kept one. */
export function dockerodeOptions(target: Target): object {
  if ("socketPath" in target) return { ...target, agent: new Agent({ keepAlive: false }) };
  if (!("ca" in target)) return { protocol: "http", host: "docker", port: 80, agent: sshAgent(target.url) };
  const { hostname: host, port } = new URL(target.url);
  const { ca, cert, key } = target;
  const agent = new TlsAgent({ keepAlive: false });
  return { protocol: "https", host, port: port || "2376", ca, cert, key, agent };
}
