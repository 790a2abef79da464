import { spawn } from "node:child_process";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { Duplex } from "node:stream";

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
export function dialling(target: Target): object {
  if ("socketPath" in target) return { ...target, agent: new Agent({ keepAlive: false }) };
  const { hostname: host, port, username } = new URL(target.url);
  if ("ca" in target) {
    const { ca, cert, key } = target;
    const agent = new TlsAgent({ keepAlive: false });
    return { protocol: "https", host, port: port || "2376", ca, cert, key, agent };
  }
  return { protocol: "http", host: "docker", port: 80, agent: sshAgent({ host, port, username }) };
}

/** HTTP over `docker system dial-stdio` at the other end of ssh, as Docker's own program does it. */
function sshAgent({ host, port, username }: { host: string; port: string; username: string }): Agent {
  const agent = new Agent({ keepAlive: false });
  const place = [...(port ? ["-p", port] : []), ...(username ? ["-l", username] : []), "--", host];
  agent.createConnection = () => {
    const batch = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
    const child = spawn("ssh", [...batch, ...place, "docker", "system", "dial-stdio"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
    child.once("error", (error) => stream.destroy(error));
    stream.once("close", () => child.kill());
    // Node's HTTP client sets these on a socket; a pipe has none.
    return Object.assign(stream, {
      setKeepAlive: () => stream,
      setNoDelay: () => stream,
      setTimeout: () => stream,
    });
  };
  return agent;
}
