import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex, finished } from "node:stream";
import { childEnvironment } from "../../config.ts";
import { neutralise } from "../../protocol/neutralise.ts";
import { sshFailed } from "./faults.ts";

/** Characters kept of what ssh prints. Its last line says why it failed. */
const KEPT_CHARS = 2000;
const LINE_CHARS = 300;

/** An agent for HTTP over `ssh … docker system dial-stdio`, as Docker's own client connects. */
export function sshAgent(url: string): Agent {
  const { hostname, port, username } = new URL(url);
  const batch = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
  const place = [...(port ? ["-p", port] : []), ...(username ? ["-l", username] : []), "--", hostname];
  const agent = new Agent({ keepAlive: false });
  agent.createConnection = () => {
    const stream = throughProgram(
      spawn("ssh", [...batch, ...place, "docker", "system", "dial-stdio"], { env: childEnvironment() }),
      (why) => sshFailed(url, why),
    );
    // Node's HTTP client calls these methods of a socket, which a pipe does not have.
    return Object.assign(stream, {
      setKeepAlive: () => stream,
      setNoDelay: () => stream,
      setTimeout: () => stream,
    });
  };
  return agent;
}

/**
 * A program's stdin and stdout as one stream. The stream ends when the program has ended, so that a failure is reported
 * with the program's own message and not as the broken pipe that comes first.
 */
function throughProgram(child: ChildProcessWithoutNullStreams, failed: (why: string) => Error): Duplex {
  const { stdin, stdout, stderr } = child;
  let printed = "";
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk, _encoding, done) => void stdin.write(chunk, (error) => error ?? done()),
    final: (done) => void stdin.end(() => done()),
    destroy(error, done) {
      child.kill();
      stderr.destroy();
      done(error);
    },
  });
  stdin.on("error", () => undefined); // the exit reports why
  stdout.on("data", (chunk) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    printed = (printed + text).slice(-KEPT_CHARS);
  });
  child.once("error", (error) => stream.destroy(failed(error.message)));
  child.once("exit", (code) => {
    // Not on "close", which waits for stderr: a connection that ssh keeps open (ControlPersist) may hold it.
    if (code === 0) finished(stdout, { writable: false }, () => stream.push(null));
  });
  child.once("close", (code, signal) => {
    if (code !== 0) stream.destroy(failed(lastLine(printed) ?? `it ended by ${signal ?? `code ${code}`}`));
  });
  return stream;
}

/** The last line of untrusted text, without control characters. */
function lastLine(text: string): string | undefined {
  const lines = neutralise(text).split("\n");
  return lines
    .findLast((line) => line.trim() !== "")
    ?.trim()
    .slice(-LINE_CHARS);
}
