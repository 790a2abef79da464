import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { sshAgent } from "./ssh.ts";

/** How an engine is reached. */
export type Target =
  /** Unix socket on this machine. */
  | { readonly socketPath: string }
  /** `tcp://host:port`, both sides proven by certificates (PEM). */
  | { readonly url: string; readonly ca: string; readonly cert: string; readonly key: string }
  /** `ssh://[user@]host[:port]`: the machine's own ssh, with its keys, its known hosts and its settings. */
  | { readonly url: string };

/** For messages. */
export function nameOf(target: Target): string {
  return "socketPath" in target ? target.socketPath : target.url;
}

/** The target in dockerode's words. A new connection for each call: a kept one may just have been closed. */
export function dockerodeOptions(target: Target): object {
  if ("socketPath" in target) return { ...target, agent: new Agent({ keepAlive: false }) };
  if (!("ca" in target)) return { protocol: "http", host: "docker", port: 80, agent: sshAgent(target.url) };
  const { hostname: host, port } = new URL(target.url);
  const { ca, cert, key } = target;
  const agent = new TlsAgent({ keepAlive: false });
  return { protocol: "https", host, port: port || "2376", ca, cert, key, agent };
}
