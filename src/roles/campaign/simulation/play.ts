import type { CampaignAction } from "../../../protocol/campaign/actions.ts";
import type { ChainModel, Label } from "../../../protocol/campaign/models/chain-model.ts";
import { CampaignRules } from "../../../protocol/campaign/rules.ts";
import { agentKinds, type Scenario, type ScenarioAgent } from "../../../protocol/campaign/scenario.ts";
import {
  CAMPAIGN_PANEL,
  type CampaignTerms,
  campaignPriceOf,
  type FixPlace,
  NO_ROW,
} from "../../../protocol/campaign/terms.ts";
import { type Address, ZERO_ADDRESS } from "../../../protocol/ids.ts";
import { Random } from "../../federated/data/random.ts";
import { Agenda } from "./agenda.ts";
import type { ScenarioData, TrueRow } from "./rows.ts";

const DAY = 86_400;
/** Share of others' right rows that a colluding agent fixes. */
const FALSE_FIXES = 0.1;

/** The accounts that play: the contract's rules know no other names. */
export interface Cast {
  readonly owner: Address;
  readonly agents: ReadonlyMap<string, Address>;
  readonly panel: readonly Address[];
}

/** A call that was made, for another chain to repeat. */
export interface PlayedAction {
  readonly action: CampaignAction;
  readonly at: number;
  /** What it took from its caller, wei. */
  readonly payment: bigint;
}

/** How things stand at the end of a day. */
export interface PlayedDay {
  readonly day: number;
  /** Added so far. */
  readonly rows: number;
  /** Of those, rows that bear the wrong label. */
  readonly wrong: number;
  /** Fixes that were taken and found right, and found false. */
  readonly fixes: { readonly right: number; readonly false: number };
  /** On the hidden rows, of the model that learnt the data as it is. */
  readonly accuracy: number;
  /** What one more row would cost, wei. */
  readonly deposit: bigint;
  /** What each agent has and is owed, wei; without gas. */
  readonly balances: ReadonlyMap<string, bigint>;
  /** What the owner has spent, wei. */
  readonly spent: bigint;
}

interface AddedRow extends TrueRow {
  label: Label;
}

/**
 * Plays a campaign from its opening to its end, day by day and then until no money is held; the calls that were made are
 * in {@link ScenarioGame.played}. The same seed gives the same calls.
 */
export class ScenarioGame {
  readonly terms: CampaignTerms;
  readonly rules: CampaignRules;
  readonly played: PlayedAction[] = [];
  readonly #scenario: Scenario;
  readonly #data: ScenarioData;
  readonly #cast: Cast;
  readonly #start: number;
  readonly #random: Random;
  readonly #agenda = new Agenda();
  readonly #paid = new Map<Address, bigint>();
  readonly #entries: AddedRow[][] = [];
  #used = 0;

  /** @param start Second at which the campaign is opened. */
  constructor(scenario: Scenario, data: ScenarioData, cast: Cast, start: number) {
    const { campaign, simulation } = scenario;
    this.#scenario = scenario;
    this.#data = data;
    this.#cast = cast;
    this.#start = start;
    this.#random = new Random(`campaign ${simulation.seed}`);
    const closesAt = start + simulation.days * DAY;
    this.terms = {
      ...campaign,
      owner: cast.owner,
      token: ZERO_ADDRESS,
      closesAt,
      slices: 0,
      specHash: NO_ROW,
      examRoot: NO_ROW,
    };
    this.rules = new CampaignRules(this.terms, start);
    this.#paid.set(cast.owner, campaignPriceOf(this.terms));
  }

  *days(): Generator<PlayedDay> {
    const { days, agents } = this.#scenario.simulation;
    yield this.#dayOf(0);
    for (let day = 1; day <= days; day++) {
      const begin = this.#start + (day - 1) * DAY;
      for (const [name, agent] of Object.entries(agents)) this.#planDay(name, agent, begin);
      const end = day === days ? this.terms.closesAt + 1 : begin + DAY;
      if (day === days) {
        this.#agenda.put(end, (at) => this.#do({ kind: "close", by: this.#cast.owner }, at));
        // Until the last window is over: a fix has five steps at most.
        this.#agenda.run(end + this.terms.fixWindow + 7 * this.terms.stepWindow);
      } else this.#agenda.run(end);
      yield this.#dayOf(day);
    }
  }

  // ── What agents do

  #planDay(name: string, agent: ScenarioAgent, begin: number): void {
    for (let left = agent.rows; left > 0; left -= agent.batch) {
      const count = Math.min(left, agent.batch);
      this.#agenda.put(begin + 1 + this.#random.below(DAY - 1), (at) => this.#add(name, agent, count, at));
    }
  }

  #add(name: string, agent: ScenarioAgent, count: number, at: number): void {
    const by = this.#cast.agents.get(name)!;
    if (!this.#do({ kind: "add", by, count }, at)) return;
    const { errors } = agentKinds[agent.kind];
    const rows = this.#data.open.slice(this.#used, this.#used + count);
    this.#used += count;
    const entry = this.#entries.length;
    this.#entries.push(
      rows.map((row) => ({ ...row, label: this.#random.uniform() < errors ? other(row.truth) : row.truth })),
    );
    const over = at + this.terms.fixWindow + 1;
    this.#agenda.put(over, (then) => this.#do({ kind: "refund", by, entry }, then));
    if (!this.#scenario.simulation.fixing) return;
    for (const [reader, { fixes, kind }] of Object.entries(this.#scenario.simulation.agents)) {
      if (!fixes || reader === name) continue;
      // Somewhere in the first half of the window.
      const then = at + 1 + this.#random.below(Math.floor(this.terms.fixWindow / 2));
      this.#agenda.put(then, (now) => this.#read(reader, kind === "colluding", entry, now));
    }
  }

  /** Fixes all wrong rows of an entry; who colludes fixes some right ones instead. */
  #read(name: string, colludes: boolean, entry: number, at: number): void {
    const by = this.#cast.agents.get(name)!;
    for (const [row, { label, truth }] of this.#entries[entry]!.entries()) {
      const wrong = label !== truth;
      if (colludes ? wrong || this.#random.uniform() >= FALSE_FIXES : !wrong) continue;
      // One fix is enough, unless what is open may be false.
      if (this.rules.rowOf({ entry, row }).fixes.length > 0) continue;
      if (!this.#do({ kind: "fix", by, entry, row, removes: false }, at)) continue;
      const fix = this.rules.rowOf({ entry, row }).fixes.length - 1;
      this.#follow({ entry, row, fix }, at);
    }
  }

  // ── What becomes of a fix

  #follow(place: FixPlace, at: number): void {
    const step = this.terms.stepWindow;
    const { judge } = this.#scenario.simulation;
    const right = this.#isRight(place);
    const half = Math.floor(step / 2);
    if (judge !== "silent") {
      const says = judge === "yes" || right;
      this.#agenda.put(at + half, (then) => {
        this.#do({ kind: "judge", by: this.#cast.owner, place, right: says }, then);
      });
    }
    const verdictAt = judge === "silent" ? at + step + 1 : at + half;
    this.#agenda.put(verdictAt + half, (then) => this.#appeal(place, then));
  }

  /** Who is in the right and was not found so appeals; all windows are waited for. */
  #appeal(place: FixPlace, at: number): void {
    const right = this.#isRight(place);
    const { fixer, verdict } = this.rules.fixOf(place)!;
    const by = right ? fixer : this.rules.entries[place.entry]!.author;
    if (verdict === right || !this.#do({ kind: "appeal", by, place }, at)) {
      this.#agenda.put(at + 2 * this.terms.stepWindow, (then) => this.#take(place, then));
      return;
    }
    const { members } = this.#scenario.simulation.panel;
    const drawn = this.#random.shuffle(Array.from({ length: members }, (_, i) => i));
    const panel = drawn.slice(0, CAMPAIGN_PANEL).map((i) => this.#cast.panel[i]!);
    this.#do({ kind: "empanel", by, place }, at, panel);
    for (const member of panel) {
      // The last ones in the pool always say yes.
      const yes = this.#cast.panel.indexOf(member) >= members - this.#scenario.simulation.panel.yes;
      this.#do({ kind: "commitVote", by: member, place, right: yes || right }, at);
    }
    for (const member of panel) this.#do({ kind: "revealVote", by: member, place }, at);
    this.#take(place, at);
  }

  #take(place: FixPlace, at: number): void {
    const { fixer } = this.rules.fixOf(place)!;
    if (!this.#do({ kind: "take", by: fixer, place }, at)) return;
    if (this.rules.rowOf(place).fixedBy === undefined) return;
    const row = this.#entries[place.entry]![place.row]!;
    row.label = other(row.label);
  }

  /** Of two classes the other one: a correction is right where the label was wrong. */
  #isRight({ entry, row }: FixPlace): boolean {
    const { label, truth } = this.#entries[entry]![row]!;
    return label !== truth;
  }

  /** Makes a call where the rules allow it and its caller can pay; whether it went through. */
  #do(action: CampaignAction, at: number, drawn: readonly Address[] = []): boolean {
    const payment = this.rules.paymentOf(action, at);
    if (!this.rules.allows(action, at)) return false;
    if (payment > 0n && this.#balanceOf(action.by) < payment) return false;
    this.rules.apply(action, at, drawn);
    this.#paid.set(action.by, (this.#paid.get(action.by) ?? 0n) + payment);
    this.played.push({ action, at, payment });
    return true;
  }

  #balanceOf(account: Address): bigint {
    const { balance } = this.#scenario.simulation;
    return balance - (this.#paid.get(account) ?? 0n) + (this.rules.owed.get(account) ?? 0n);
  }

  #dayOf(day: number): PlayedDay {
    const rows = this.#entries.flat();
    const places = this.rules.places();
    const taken = places.map((place) => this.rules.fixOf(place)!).filter(({ state }) => state === "Taken");
    const right = places.filter((place) => this.rules.rowOf(place).fixedBy === this.rules.fixOf(place));
    const { owner, agents } = this.#cast;
    return {
      day,
      rows: rows.length,
      wrong: rows.filter(({ label, truth }) => label !== truth).length,
      fixes: { right: right.length, false: taken.filter(({ verdict }) => verdict === false).length },
      accuracy: accuracyOf(taught(this.#data.startModel(), rows), this.#data.hidden),
      deposit: this.rules.depositOf(1, this.#start + day * DAY),
      balances: new Map([...agents].map(([name, account]) => [name, this.#balanceOf(account)])),
      spent: (this.#paid.get(owner) ?? 0n) - (this.rules.owed.get(owner) ?? 0n),
    };
  }
}

/** The model after it learnt `rows` in order. */
function taught(model: ChainModel, rows: readonly AddedRow[]): ChainModel {
  for (const { words, label } of rows) model.update(words, label);
  return model;
}

/** Share of `rows` that the model predicts right. */
function accuracyOf(model: ChainModel, rows: readonly TrueRow[]): number {
  return rows.filter(({ words, truth }) => model.predict(words) === truth).length / rows.length;
}

function other(label: Label): Label {
  return label === 0 ? 1 : 0;
}
