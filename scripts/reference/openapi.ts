import { z } from "zod";
import { errorOutput, OUTPUT_VERSION } from "../../src/commands/output/all.ts";
import { accountApi } from "../../src/commands/web/api/account.ts";
import { campaignsApi } from "../../src/commands/web/api/campaigns.ts";
import { gossipApi } from "../../src/commands/web/api/gossip.ts";
import { jobsApi, pageEvents } from "../../src/commands/web/api/jobs.ts";
import { marketApi } from "../../src/commands/web/api/market.ts";
import { postingApi } from "../../src/commands/web/api/posting.ts";
import { workApi } from "../../src/commands/web/api/work.ts";
import {
  CONTROL_VERSION,
  liveEventSchema,
  MAX_ANSWER_BYTES,
  MAX_REQUEST_BYTES,
  requestSchema,
} from "../../src/control/messages.ts";
import { controlAnswers } from "../../src/control/reach.ts";
import type { WebEndpoint } from "../../src/web/endpoint.ts";
import { tokenSchema } from "../../src/web/server.ts";
import { type Schema, schemaOf } from "./fields.ts";

/** What the page asks its server for, beside its own files. */
export const endpoints: readonly WebEndpoint[] = [
  accountApi,
  jobsApi,
  campaignsApi,
  gossipApi,
  marketApi,
  postingApi,
  workApi,
].flatMap((api) => Object.values(api));

const session: WebEndpoint = {
  method: "POST",
  path: "/api/session",
  summary: "Exchange the token of the printed link, once, for a cookie and a key",
  input: tokenSchema,
  output: z.strictObject({ key: z.string() }),
};

const json = (schema: Schema) => ({ "application/json": { schema } });
const error = { $ref: "#/components/responses/Error" };

/** The HTTP API of `ichain web`, and the messages of a daemon's control socket, as OpenAPI 3.1. */
export function openApi(): object {
  const entries = [session, ...endpoints].map((endpoint) => [urlOf(endpoint), endpoint] as const);
  const paths = Object.fromEntries(
    [...Map.groupBy(entries, ([url]) => url)].map(([url, all]) => [
      url,
      Object.fromEntries(all.map(([, one]) => [one.method.toLowerCase(), operation(one)])),
    ]),
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "ichain",
      version: String(OUTPUT_VERSION),
      description:
        "What a home of ichain answers on this machine alone: the page's API (`ichain web`, docs/web.md), and under x-control-socket the messages of a daemon's Unix socket. Within a version fields are only added. A POST needs `Sec-Fetch-Site: same-origin`: the API is the page's, and programs have the package `ichain` (docs/sdk.md).",
    },
    servers: [
      { url: "http://127.0.0.1:{port}", variables: { port: { default: "8420", description: "of --port" } } },
    ],
    security: [{ cookie: [], key: [] }],
    paths: { ...paths, "/api/events": { get: eventStream() } },
    components: {
      securitySchemes: {
        cookie: { type: "apiKey", in: "cookie", name: "ichain-web-PORT" },
        key: { type: "apiKey", in: "header", name: "x-page-key" },
      },
      responses: {
        Error: {
          description:
            "400 for bad input, 401 without cookie and key, 403 from another page, 404, 421 under another name, 409 where it is refused, 502 where another party's data is not to be trusted, 503 where something cannot be reached",
          content: json(schemaOf(errorOutput, "output")),
        },
      },
    },
    "x-control-socket": controlSocket(),
  };
}

const urlOf = ({ path }: WebEndpoint): string => path.replace(/:(\w+)/g, "{$1}");

function operation(endpoint: WebEndpoint): object {
  const { method, path, summary, input, output } = endpoint;
  const { properties = {}, required = [], ...rest } = schemaOf(input, "input");
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const others = Object.entries(properties).filter(([name]) => !inPath.includes(name));
  const parameter = (place: "path" | "query", name: string, { description, ...schema }: Schema) => ({
    ...{ name, in: place, required: place === "path" || required.includes(name) },
    ...(description && { description }),
    schema,
  });
  const parameters = [
    ...inPath.map((name) => parameter("path", name, properties[name]!)),
    ...(method === "GET" ? others.map(([name, schema]) => parameter("query", name, schema)) : []),
  ];
  const { $schema: _, ...body } = {
    ...{ $schema: undefined, ...rest, properties: Object.fromEntries(others) },
    required: required.filter((name) => !inPath.includes(name)),
  };
  return {
    operationId: operationId(endpoint),
    summary,
    ...(path === session.path && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(method === "POST" && { requestBody: { required: true, content: json(body) } }),
    responses: { 200: { description: summary, content: json(bare(output)) }, default: error },
  };
}

/** `getJobsId`, `postUnlock`. */
function operationId({ method, path }: WebEndpoint): string {
  const words = path.split(/[/:]+/).filter((word) => word !== "" && word !== "api");
  return [
    method.toLowerCase(),
    ...words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`),
  ].join("");
}

function eventStream(): object {
  const events = Object.entries(pageEvents).map(([name, { summary, schema }]) => [
    name,
    { summary, schema: bare(schema) },
  ]);
  return {
    operationId: "getEvents",
    summary: "What happens, as server-sent events with ids; the newest 1,000 are kept for who comes back",
    parameters: [
      { name: "key", in: "query", required: true, schema: { type: "string" } },
      { name: "last-event-id", in: "header", required: false, schema: { type: "string" } },
    ],
    security: [{ cookie: [] }],
    responses: {
      200: {
        description: "Until either side ends it",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      default: error,
    },
    "x-events": Object.fromEntries(events),
  };
}

/** One line of JSON each way. */
function controlSocket(): object {
  return {
    version: CONTROL_VERSION,
    description: `A daemon's Unix socket in its home, for its owner alone: a line of JSON each way, a request of at most ${MAX_REQUEST_BYTES} bytes, an answer or event of at most ${MAX_ANSWER_BYTES}. An answer is \`{version, answer}\`, a refusal \`{version, error}\`; after \`follow\` come \`{version, event}\` until either side ends it.`,
    request: bare(requestSchema),
    answers: Object.fromEntries(Object.entries(controlAnswers).map(([name, schema]) => [name, bare(schema)])),
    event: bare(liveEventSchema),
  };
}

/** Without the mark of JSON Schema's version, which OpenAPI 3.1 implies. */
function bare(type: z.ZodType): Schema {
  const { $schema: _, ...schema } = schemaOf(type, "output") as Schema & { $schema?: string };
  return schema;
}
