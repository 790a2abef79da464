import type { TestContext } from "node:test";
import { z } from "zod";
import { route } from "../../../src/web/endpoint.ts";
import { createEventHub } from "../../../src/web/events.ts";
import { readPage } from "../../../src/web/files.ts";
import { serveWeb } from "../../../src/web/server.ts";
import { createSession } from "../../../src/web/session.ts";

/** A page's server whose data a test makes up; `posted` has what the page changed. */
export async function servePage(t: Pick<TestContext, "after">, answers: Readonly<Record<string, unknown>>) {
  const [session, hub] = [createSession(), createEventHub()];
  const posted: { readonly path: string; readonly input: unknown }[] = [];
  const routes = Object.entries(answers).map(([name, answer]) => {
    const [method = "GET", path = ""] = name.split(" ");
    const any = { path, input: z.unknown(), output: z.unknown() };
    return route({ method: method === "POST" ? "POST" : "GET", ...any }, async (input) => {
      if (method === "POST") posted.push({ path, input });
      return typeof answer === "function" ? answer(input) : answer;
    });
  });
  const web = await serveWeb({ port: 0, page: readPage(), session, hub, routes });
  t.after(() => web[Symbol.asyncDispose]());
  const at = `http://127.0.0.1:${web.port}/`;
  return { hub, posted, at, port: web.port, link: `${at}#token=${session.token}` };
}

/** What a home answers of which `strange` has written every name, reason, log line and file name. */
export function answersOf(strange: string) {
  const job = `0x${"ab".repeat(32)}`;
  const federated = `0x${"cd".repeat(32)}`;
  const account = `0x${"12".repeat(20)}`;
  const token = { address: `0x${"0".repeat(40)}`, symbol: strange, decimals: 18 };
  const now = Math.floor(Date.now() / 1000);
  const row = {
    ...{ jobId: job, name: strange, state: "Settled", verdict: "pass", final: true, role: "requester" },
    ...{ deadline: undefined, price: "0.1 coin", money: strange, provider: account, block: 7 },
  };
  const offer = {
    ...{ account, name: strange, standing: 0.4, rating: 4.5, ratings: 12, settled: 30, requesters: 4 },
    ...{ hour: "0.01", stake: "1 coin", validator: true, pooled: true, tier: "gvisor", machine: strange },
  };
  const choice = {
    account,
    name: strange,
    rating: 4.5,
    ratings: 3,
    settled: 7,
    price: "0.1 coin",
    tier: "vm",
  };
  const at = (n: number) => now - 86_400 * (20 - n);
  const earned = Array.from({ length: 20 }, (_, n) => ({
    ...{ jobId: job, role: "provider", state: "Settled", cause: strange, at: at(n), token },
    ...{ paid: String(BigInt(n + 1) * 10n ** 16n), slashed: "0" },
  }));
  const round = (n: number) => ({
    ...{ event: "round", round: n, before: { acc: 0.5 + n / 20, loss: 1 / n } },
    providers: [0, 1, 2].map((one) => ({
      ...{ account: `0x${String(one).repeat(40)}`, rows: 100, sent: one !== n % 5, weight: one },
      ...{ accuracy: 0.5 + n / 20, pay: { amount: "5000000000000000" } },
    })),
  });
  const campaign = `0x${"ef".repeat(32)}`;
  const campaignRow = {
    ...{ campaignId: campaign, name: strange, state: "open", roles: ["owner"], closesAt: now + 9000 },
    ...{ rows: { added: 4, left: 6 }, deposit: "0.05 coin", price: `0.02 ${strange}` },
  };
  const fix = (place: string, state: string) => ({
    ...{
      place,
      fixer: account,
      state,
      removes: false,
      absent: false,
      original: strange,
      corrected: strange,
      panel: [],
    },
    ...{ deadline: now + 600, fate: strange, judges: state === "Judging" },
  });
  const version = (n: number) => ({
    ...{ version: n, jobId: job, state: "Settled", score: `0.${n}`, rows: 100 * n, provider: account },
  });
  return {
    "GET /api/me": {
      ...{ account, network: strange, transport: "onion", home: "/home", version: "1", now },
      ...{ held: "12.345678901234567890 coin", owed: "0.5 coin", unlocked: false, serving: false },
    },
    "GET /api/help": { commands: [{ name: "submit", group: "Ask for work", summary: strange }] },
    "GET /api/jobs": {
      now,
      totals: { locked: "0.2 coin", paid: "1.5 coin" },
      jobs: [{ ...row, state: "Accepted", final: false, deadline: now + 4000 }, row],
      federated: [
        {
          jobId: federated,
          state: "Running",
          role: "requester",
          deadline: now + 90,
          rounds: { closed: 4, of: 5 },
        },
      ],
    },
    "GET /api/jobs/:id": ({ id }: { id: string }) => ({
      ...{
        now,
        ...row,
        jobId: id,
        rows: [["reason", strange]],
        why: `You are the requester.\n${strange}`,
        links: {},
      },
      ...(id === federated
        ? {
            ...{ kind: "federated", state: "Running", final: false, deadline: now + 90, closed: 6, of: 8 },
            ...{ rounds: [1, 2, 3, 4, 5, 6].map(round), providers: [], token },
          }
        : {
            ...{ kind: "job", reason: strange, isKeyKnown: true, isRated: false },
            parties: { requester: account, provider: account },
            measured: {
              ...{ threshold: "0.9", failed: false, provider: strange },
              validators: [{ validator: account, abstained: false, committed: true, score: strange }],
            },
            result: { folder: strange, files: [{ path: strange, bytes: 123_456 }], contents: [strange] },
          }),
      reports: Array.from({ length: 30 }, (_, n) => ({ kind: "info", at: now + n, text: strange, job: id })),
    }),
    "GET /api/gossip": {
      running: {
        ...{ kind: "peer", state: "working", since: now - 60, account },
        health: [{ name: "neighbours", ok: true, found: strange }],
      },
      networks: [
        {
          ...{ name: strange, account, count: 300 },
          blocks: [1, 2, 3].map((height) => ({
            ...{ height, finalizedAt: now - 600 + height * 60, transactions: 12 },
            ...{ receipts: 36, confirmations: 33 + height, accuracy: 0.9 + height / 100 },
          })),
          witnesses: [{ account, confirmations: 105 }],
        },
        { name: "letters", count: 0, blocks: [], witnesses: [], why: strange },
      ],
    },
    "GET /api/campaigns": { now, count: 60, from: 0, campaigns: [campaignRow] },
    "GET /api/campaigns/:id": {
      ...{ ...campaignRow, now, about: strange, why: strange, owner: account, terms: [["owner", strange]] },
      ...{ bond: "0.06 coin", reward: "0.01 coin", held: "0.5 coin" },
      due: { refund: 1, take: 2, close: true },
      fixes: { count: 300, shown: [fix("0/1/0", "Judging"), fix("0/0/0", "Taken")] },
      entries: {
        count: 1,
        shown: [
          {
            entry: 0,
            author: account,
            rows: 4,
            deposit: "0.05 coin",
            fate: strange,
            refunded: false,
            fixableUntil: now + 60,
          },
        ],
      },
      accounts: {
        count: 1,
        shown: [{ account, own: true, paid: "0.2 coin", credited: "0.3 coin", balance: "0.1 coin" }],
      },
      history: {
        ...{ at: [now - 7200, now - 3600, now], rows: [0, 4, 4], symbol: strange },
        balances: [0, 1, 2, 3].map((n) => ({ account: `0x${String(n).repeat(40)}`, values: [-n, n, 2 * n] })),
      },
      versions: [version(1), version(2)],
    },
    "POST /api/campaigns/:id/judge": { text: strange },
    "POST /api/campaigns/:id/add": { text: strange, data: { deposit: "7" } },
    "POST /api/campaigns/:id/fix": { text: strange },
    "POST /api/jobs/:id/log": { jobId: job, text: `${strange}\n`, dropped: 0, running: false },
    "POST /api/jobs/:id/rate": {},
    "POST /api/unlock": {},
    "POST /api/stake/deposit": { data: {}, text: strange },
    "GET /api/offers": { count: 1, from: 0, offers: [offer] },
    "GET /api/prices": { data: { prices: [{}] }, text: strange },
    "GET /api/pools": {
      now,
      pools: [
        {
          ...{ state: "Posted", count: 1 },
          jobs: [
            { jobId: job, deadline: now + 30, role: "requester", waitsFor: strange, locked: "0.2 coin" },
          ],
        },
      ],
    },
    "GET /api/files": {
      folder: strange,
      files: [strange],
      templates: [{ name: "sklearn", summary: strange }],
    },
    "POST /api/choices": {
      ...{ kind: "job", cells: 1, name: strange, validatorSeats: 1, unfit: [{ account, why: strange }] },
      ...{ providers: [{ ...choice, standing: 0.4 }], validators: [choice] },
    },
    "POST /api/plan": { data: { locked: "1" }, text: strange },
    "GET /api/work": {
      coin: { ...token, symbol: "coin" },
      earnings: {
        data: { jobs: earned, paid: [{ token, amount: "21" }], slashed: "0", gas: "21000000000000" },
      },
      stake: {
        data: {
          ...{ stake: "2000000000000000000", free: "1000000000000000000" },
          leaving: { amount: "500000000000000000", availableAt: now + 3600 },
        },
        text: "",
      },
      status: {
        text: "",
        data: {
          daemons: [
            {
              ...{ kind: "worker", state: "working", since: now - 100, unfinished: 2 },
              health: [
                { name: "chain", ok: true, found: strange },
                { name: "disk", ok: false, found: strange },
              ],
              warnings: [{ at: now, text: strange }],
            },
          ],
        },
      },
    },
    "GET /api/policy": {
      ...{ file: strange, jobs: 20, takes: 4 },
      because: [
        { code: "PRICE_TOO_LOW", reason: strange, count: 16, fix: { field: strange, value: strange } },
      ],
    },
    "GET /api/doctor": {
      data: { checks: [{ name: "tor", status: "warn", found: strange, todo: strange }] },
      text: strange,
    },
  };
}
