import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import { lies, type Meddle, startProxy } from "../chain/rpc-proxy.ts";
import type { Chance } from "./chance.ts";

const LONGEST_LIE_MS = 3_000;
const HONEST_MS = 20_000;

/**
 * A node that is honest for ten to twenty seconds and lies for one to three, each time in another way. Spells are short
 * because of two nodes both must say a thing: a lie costs everybody the time that it lasts.
 */
export async function startLiar(rpcUrl: string, chance: Chance) {
  const told = new Map<string, number>();
  const spells: readonly (readonly [string, () => Promise<Meddle> | Meddle])[] = [
    ["withholds logs", () => lies.withholdLogs],
    ["withholds receipts", () => lies.withholdReceipts],
    ["drops transactions", () => lies.dropTransactions],
    ["wants a fortune", () => lies.hugeFee],
    ["refuses estimates", () => lies.refuseEstimates],
    ["answers garbage", () => lies.garbage],
    ["hangs up", () => () => "hang up"],
    ["stalls", () => stalling],
    ["stands still", () => standing(rpcUrl)],
  ];
  let spell: { name: string; meddle: Meddle; ends: AbortSignal } | undefined;
  let timer: NodeJS.Timeout;
  let end: AbortController;
  const lie = async () => {
    const [name, make] = chance.pick(spells);
    const meddle = await Promise.resolve(make()).catch(() => undefined);
    end = new AbortController();
    if (meddle) spell = { name, meddle, ends: end.signal };
    timer = setTimeout(beHonest, 1_000 + chance.next() * (LONGEST_LIE_MS - 1_000));
  };
  const beHonest = () => {
    end?.abort();
    spell = undefined;
    timer = setTimeout(() => void lie(), HONEST_MS / 2 + (chance.next() * HONEST_MS) / 2);
  };
  /** Answers late, when the spell is over. */
  const stalling: Meddle = () =>
    new Promise((resolve) => {
      const now = spell?.ends;
      if (now === undefined || now.aborted) resolve(undefined);
      else now.addEventListener("abort", () => resolve(undefined), { once: true });
    });
  beHonest();
  const proxy = await startProxy(rpcUrl, async (call) => {
    proxy.calls.length = 0; // what it was asked is not looked at, and would only grow
    const one = spell;
    const answer = await one?.meddle(call);
    if (one && answer !== undefined) told.set(one.name, (told.get(one.name) ?? 0) + 1);
    return answer;
  });
  return {
    url: proxy.url,
    /** How often it lied, by kind. */
    told: () => Object.fromEntries(told),
    stop() {
      clearTimeout(timer);
      end?.abort();
      proxy.stop();
    },
  };
}

/** Has heard of no block since now. */
async function standing(rpcUrl: string): Promise<Meddle> {
  const block = (await connectRpc(rpcUrl).send("eth_getBlockByNumber", ["latest", false])) as {
    number: string;
  };
  const last = Number(block.number);
  return ({ method, params }) => {
    if (method !== "eth_getBlockByNumber") return undefined;
    if (params[0] === "latest") return { result: block };
    return Number(params[0]) > last ? { result: null } : undefined;
  };
}
