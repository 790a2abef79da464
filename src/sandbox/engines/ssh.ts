import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex, finished } from "node:stream";
import { childEnvironment } from "../../config.ts";
import { neutralise } from "../../protocol/neutralise.ts";
import { sshFailed } from "./faults.ts";

/** As much as is kept of what ssh says when it fails; its last line is the one that says why. */
const KEPT_CHARS = 2000;
const LINE_CHARS = 300;

/** HTTP over `docker system dial-stdio` at the other end of ssh, as Docker's own program does it. */
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
    // Node's HTTP client sets these on a socket; a pipe has none.
    return Object.assign(stream, {
      setKeepAlive: () => stream,
      setNoDelay: () => stream,
      setTimeout: () => stream,
    });
  };
  return agent;
}

/**
 * A program's stdin and stdout as one stream. It ends when the program has, so that one that failed ends it
 * with what it said of that, and not with the broken pipe that came first.
 */
function throughProgram(child: ChildProcessWithoutNullStreams, failed: (why: string) => Error): Duplex {
  const { stdin, stdout, stderr } = child;
  let said = "";
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
  stdin.on("error", () => undefined); // the end tells why
  stdout.on("data", (chunk) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-KEPT_CHARS);
  });
  child.once("error", (error) => stream.destroy(failed(error.message)));
  child.once("exit", (code) => {
    // Not at "close": a connection that ssh keeps for later calls (ControlPersist) may hold its stderr.
    if (code === 0) finished(stdout, { writable: false }, () => stream.push(null));
  });
  child.once("close", (code, signal) => {
    if (code !== 0) stream.destroy(failed(lastLine(said) ?? `it ended by ${signal ?? `code ${code}`}`));
  });
  return stream;
}

/** Of a stranger's text, fit for a terminal. */
function lastLine(text: string): string | undefined {
  const lines = neutralise(text).split("\n");
  return lines
    .findLast((line) => line.trim() !== "")
    ?.trim()
    .slice(-LINE_CHARS);
}
