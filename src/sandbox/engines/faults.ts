import { IchainError, isAbort } from "../../errors/error.ts";

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "EACCES",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

interface EngineFault {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
}

/** Whether the engine answered "no such container" or "no such image" (404). */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as EngineFault | undefined)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

/** Whether an error means that the engine did not answer in time. */
export function isTimeout(error: IchainError): boolean {
  return error.cause instanceof Error && error.cause.name === "TimeoutError";
}

/** The `IchainError` for what a call to the engine at `where` threw. Aborts are returned unchanged. */
export function engineFault(error: unknown, where: string): unknown {
  if (error instanceof IchainError) return error;
  if (error instanceof Error && error.name === "TimeoutError") return notAnswering(where, error);
  if (isAbort(error)) return error;
  const { code, message } = error as EngineFault;
  if (code === "EACCES")
    return unavailable(
      `Not allowed to use the Docker engine at ${where}.`,
      "Run as root, or add yourself to the group docker and log in again.",
      error,
    );
  if (typeof code === "string" && UNREACHABLE.has(code)) {
    return unavailable(
      `No Docker engine answers at ${where}.`,
      "Start it (`sudo systemctl start docker`, or `sudo dockerd &` where there is no systemd) and try again.",
      error,
    );
  }
  if (typeof code === "string" && /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
    return unavailable(
      `The Docker engine at ${where} and ichain do not accept each other's certificates (${code}).`,
      "Check `ca`, `cert` and `key` of this engine in config.yaml, and their dates.",
      error,
    );
  }
  const text = String(message ?? error).slice(0, 500);
  if (/no space left on device/i.test(text)) return engineDiskFull(error);
  return new IchainError("ENGINE_REFUSED", `The Docker engine refused: ${text}`, {
    cause: error,
    details: { status: statusOf(error) },
  });
}

export function notAnswering(where: string, cause?: unknown): IchainError {
  return unavailable(
    `The Docker engine at ${where} has stopped answering.`,
    "Restart it (`sudo systemctl restart docker`); the run continues by itself.",
    cause,
  );
}

/** ssh ended before it reached an engine; `why` is the last line that it printed. */
export function sshFailed(url: string, why: string): IchainError {
  return unavailable(
    `ssh does not reach the Docker engine at ${url}: ${why.replace(/\.$/, "")}.`,
    `\`ssh ${url} docker version\` by hand shows why.`,
    undefined,
  );
}

/** The engine answers, but its OCI runtime does not finish the start of a container. */
export function startFailed(container: string, cause: unknown): IchainError {
  return new IchainError(
    "CONTAINER_STUCK",
    "The engine's runtime does not finish the start of the task's container.",
    { hint: `Restart the Docker engine, then remove the container ${container}.`, cause },
  );
}

export function engineDiskFull(cause: unknown): IchainError {
  return new IchainError("SANDBOX_DISK_FULL", "The disk of the sandbox or of its engine is full.", { cause });
}

function unavailable(message: string, hint: string, cause: unknown): IchainError {
  return new IchainError("DOCKER_UNAVAILABLE", message, { hint, cause });
}
