// What the page asks of its server, and what the server tells it.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** A refusal, with the code and the hint that the command line has too. */
export class Refusal extends Error {
  constructor({ code = "INTERNAL", message = "The server gave no answer.", hint = "" } = {}) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** What only pages of this origin, its port included, can read; the cookie goes with requests by itself. */
const KEY = "key";
const pageKey = () => localStorage.getItem(KEY) ?? "";

async function ask(path, init = {}) {
  let response;
  try {
    response = await fetch(path, { ...init, headers: { ...init.headers, "x-page-key": pageKey() } });
  } catch {
    throw new Refusal({
      code: "GONE",
      message: "The page's server does not answer.",
      hint: "Run `ichain web` again, and open its new link.",
    });
  }
  const data = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(data.error);
  return data;
}

export function get(path, query = {}) {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(set).toString();
  return ask(text === "" ? path : `${path}?${text}`);
}

export function post(path, body = {}) {
  return ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Shows the link's token; who opens the link a second time in the same browser is in already. */
export async function enterWith(token) {
  const { key } = await post("/api/session", { token }).catch(() => ({}));
  if (key !== undefined) localStorage.setItem(KEY, key);
}

const listeners = new Map();

/** Calls `listener` with the data of every event of this name; returns what ends that. */
export function on(name, listener) {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all.add(listener));
  return () => all.delete(listener);
}

function tell(name, data) {
  for (const listener of listeners.get(name) ?? []) listener(data);
}

/**
 * Follows what happens; the browser comes back by itself, and says what it had last. Resolves once it is connected, or
 * cannot be: what is read afterwards misses nothing.
 */
export function followEvents() {
  const source = new EventSource(`/api/events?key=${pageKey()}`);
  for (const name of ["job", "market", "campaign", "report", "log", "log-end", "notice"])
    source.addEventListener(name, ({ data }) => tell(name, JSON.parse(data)));
  source.addEventListener("open", () => tell("connected", true));
  source.addEventListener("error", () => tell("connected", false));
  return new Promise((resolve) => {
    let isFirst = true;
    source.addEventListener("reset", () => {
      if (!isFirst) tell("reset", {});
      isFirst = false;
      resolve();
    });
    source.addEventListener("error", resolve);
  });
}

/** Seconds by which the chain's time is ahead of this machine's. */
let ahead = 0;
export const chainNow = () => Date.now() / 1000 + ahead;

/** The data at `path`, read again at these events and `everyMs`; older data stays until newer is there. */
export function useData(path, { query, events = [], everyMs } = {}) {
  const [state, setState] = useState({ data: undefined, error: undefined });
  const key = JSON.stringify([path, query]);
  const newest = useRef(0);
  const load = useCallback(async () => {
    const turn = ++newest.current;
    try {
      const data = await get(path, query);
      if (turn !== newest.current) return;
      if (typeof data.now === "number") ahead = data.now - Date.now() / 1000;
      setState({ data, error: undefined });
    } catch (error) {
      if (turn === newest.current) setState((before) => ({ ...before, error }));
    }
  }, [key]);
  useEffect(() => {
    let timer;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(load, 150);
    };
    setState({ data: undefined, error: undefined });
    void load();
    const ends = ["reset", ...events].map((name) => on(name, soon));
    const beat = everyMs && setInterval(load, everyMs);
    return () => {
      newest.current++;
      clearTimeout(timer);
      clearInterval(beat);
      for (const end of ends) end();
    };
  }, [key]);
  return { ...state, reload: load };
}
