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

/** True when the engine answered "no such container" or "no such image". */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as EngineFault | undefined)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

/** True when the engine was given up on because it did not answer in time. */
export function isTimeout(error: IchainError): boolean {
  return error.cause instanceof Error && error.cause.name === "TimeoutError";
}

/** What an engine call threw → the error that a person can use. Aborts pass unchanged. */
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
      `The Docker engine at ${where} and ichain do not trust each other's certificates (${code}).`,
      "Check `ca`, `cert` and `key` of this engine in config.yaml, and their dates.",
      error,
    );
  }
  const text = String(message ?? error).slice(0, 500);
  if (/no space left on device/i.test(text)) return engineDiskFull(error);
  return new IchainError(`The Docker engine refused: ${text}`, {
    code: "ENGINE_REFUSED",
    class: "unavailable",
    hint: "`ichain doctor` shows what the engine can do here.",
    cause: error,
    details: { status: statusOf(error) },
  });
}

export function notAnswering(where: string, cause?: unknown): IchainError {
  return unavailable(
    `The Docker engine at ${where} has stopped answering.`,
    "Restart it (`sudo systemctl restart docker`); the run is taken up again by itself.",
    cause,
  );
}

/** What ssh said last, when it did not come through to an engine there. */
export function sshFailed(url: string, why: string): IchainError {
  return unavailable(
    `ssh does not reach the Docker engine at ${url}: ${why.replace(/\.$/, "")}.`,
    `\`ssh ${url} docker version\` by hand shows why.`,
    undefined,
  );
}

/** The engine answers, and the OCI runtime below it does not come back from a start. */
export function startFailed(container: string, cause: unknown): IchainError {
  return new IchainError("The engine's runtime does not manage to start the task's container.", {
    code: "CONTAINER_STUCK",
    class: "unavailable",
    hint: `Restart the Docker engine, then remove the container ${container}.`,
    cause,
  });
}

export function engineDiskFull(cause: unknown): IchainError {
  return new IchainError("The disk that the sandbox works on is full.", {
    code: "SANDBOX_DISK_FULL",
    class: "unavailable",
    hint: "Free some space; `ichain runtime list` shows what images take.",
    retryable: true,
    cause,
  });
}

function unavailable(message: string, hint: string, cause: unknown): IchainError {
  return new IchainError(message, {
    code: "DOCKER_UNAVAILABLE",
    class: "unavailable",
    hint,
    retryable: true,
    cause,
  });
}
