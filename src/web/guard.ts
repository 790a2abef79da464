import type { IncomingHttpHeaders } from "node:http";

/** Of a request, what decides whether it comes from this page. */
export interface PageRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The page's own files have no secret; all else is data, and needs the cookie. */
  readonly isFile: boolean;
}

export interface Refused {
  readonly status: 401 | 403 | 405 | 421;
  readonly why: string;
}

/** Where a browser would put the answer into another page. */
const FRAMES = new Set(["iframe", "frame", "embed", "object", "fencedframe"]);

/**
 * Why a request is refused before anything reads it; undefined where nothing speaks against it. A web page that lets its
 * own name lead to this port (DNS rebinding) sends a foreign Host, and with GET no Origin; a form of another site sends a
 * foreign Origin, or none and its fetch metadata.
 */
export function refuseRequest({ method, headers, isFile }: PageRequest, port: number): Refused | undefined {
  const own = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin } = headers;
  if (host === undefined || !own.includes(host))
    return { status: 421, why: "The Host header does not name this page's address." };
  if (origin !== undefined && origin !== `http://${host}`)
    return { status: 403, why: "The request comes from another site's page." };
  if (FRAMES.has(String(headers["sec-fetch-dest"] ?? "")))
    return { status: 403, why: "The page cannot be shown inside another page." };
  if (method !== "GET" && method !== "HEAD" && method !== "POST")
    return { status: 405, why: "Only GET and POST are answered." };
  const site = headers["sec-fetch-site"];
  if (method === "POST" && site !== "same-origin")
    return { status: 403, why: "A request that changes something must come from the page itself." };
  // A link in another page may lead to the page's file, and to nothing else.
  if (!isFile && site !== undefined && site !== "same-origin")
    return { status: 403, why: "The request comes from another site's page." };
  return undefined;
}

/** The cookie's value; undefined where it is missing, or there twice. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  const found = (header ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return found.length === 1 ? found[0]!.slice(name.length + 1) : undefined;
}
