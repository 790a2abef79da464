import type { Address } from "../ids.ts";
import type { CampaignAction, CampaignEntry, CampaignFix, CampaignRow } from "./actions.ts";
import { CAMPAIGN_PANEL, type CampaignTerms, campaignFeesOf, type FixPlace } from "./terms.ts";

/**
 * One campaign as the contract's interface tells it: which calls it lets through, and what they do to whose money. What
 * a simulation plays against, and what the contract is compared with. Seconds are Unix time; sums are in the smallest
 * unit.
 */
export class CampaignRules {
  readonly terms: CampaignTerms;
  readonly entries: CampaignEntry[] = [];
  /** What each account could withdraw. */
  readonly owed = new Map<Address, bigint>();
  isOpen = true;
  left: number;
  readonly #rows = new Map<string, CampaignRow>();
  /** Rows times `fixWindow` that have not drained, as of `#pacedAt`. */
  #pace = 0n;
  #pacedAt: number;

  constructor(terms: CampaignTerms, openedAt: number) {
    this.terms = terms;
    this.left = terms.rows;
    this.#pacedAt = openedAt;
  }

  /** The deposit for each of `count` rows that are added at second `at`. */
  depositOf(count: number, at: number): bigint {
    const { deposit, capacity } = this.terms;
    const window = BigInt(this.terms.fixWindow);
    const risen = 2n * this.#paceAt(at) + BigInt(count) * window;
    return deposit + (deposit * risen) / (2n * BigInt(capacity) * window);
  }

  rowOf({ entry, row }: { entry: number; row: number }): CampaignRow {
    const key = `${entry}/${row}`;
    const known = this.#rows.get(key) ?? { fixes: [], taken: 0, fixedBy: undefined };
    this.#rows.set(key, known);
    return known;
  }

  fixOf(place: FixPlace): CampaignFix | undefined {
    return this.rowOf(place).fixes[place.fix];
  }

  /** All fixes, open and taken, in no order that means anything. */
  places(): FixPlace[] {
    return [...this.#rows].flatMap(([key, { fixes }]) => {
      const [entry, row] = key.split("/").map(Number) as [number, number];
      return fixes.map((_, fix) => ({ entry, row, fix }));
    });
  }

  /** What the call takes from its caller. */
  paymentOf(action: CampaignAction, at: number): bigint {
    if (action.kind === "add") return BigInt(action.count) * this.depositOf(action.count, at);
    if (action.kind === "fix") return this.terms.bond;
    return action.kind === "appeal" ? campaignFeesOf(this.terms) : 0n;
  }

  /** Whether the contract lets `action` through at second `at`. */
  allows(action: CampaignAction, at: number): boolean {
    const { owner, closesAt, fixWindow, stepWindow } = this.terms;
    switch (action.kind) {
      case "add":
        return this.isOpen && at <= closesAt && action.count > 0 && action.count <= this.left;
      case "fix": {
        const entry = this.entries[action.entry];
        if (entry === undefined || action.row >= entry.count || at > entry.addedAt + fixWindow) return false;
        return action.by !== entry.author && this.rowOf(action).fixedBy === undefined;
      }
      case "refund": {
        const entry = this.entries[action.entry];
        return entry !== undefined && !entry.refunded && at > entry.addedAt + fixWindow;
      }
      case "close":
        return this.isOpen && (action.by === owner || at > closesAt);
    }
    const fix = this.fixOf(action.place);
    if (fix === undefined) return false;
    const inTime = at <= fix.deadline;
    switch (action.kind) {
      case "judge":
        return action.by === owner && fix.state === "Judging" && inTime;
      case "appeal": {
        const byFixer = action.by === fix.fixer;
        if (!byFixer && action.by !== this.entries[action.place.entry]!.author) return false;
        if (fix.state === "Judging") return !inTime && at <= fix.deadline + stepWindow;
        return fix.state === "Judged" && inTime && fix.verdict !== byFixer;
      }
      case "empanel":
        return fix.state === "Drawing" && inTime;
      case "commitVote": {
        const vote = fix.votes.get(action.by);
        return fix.state === "Voting" && vote !== undefined && vote.right === undefined && inTime;
      }
      case "revealVote": {
        const vote = fix.votes.get(action.by);
        if (fix.state !== "Voting" || vote?.right === undefined || vote.revealed) return false;
        return (all(fix) || !inTime) && at <= this.#revealBy(fix);
      }
      case "take":
        return this.#isRipe(fix, at) && action.place.fix === this.rowOf(action.place).taken;
    }
  }

  /**
   * What an action that {@link allows} lets through changes.
   * @param drawn The panel, where the action draws one.
   */
  apply(action: CampaignAction, at: number, drawn: readonly Address[] = []): void {
    const { terms } = this;
    switch (action.kind) {
      case "add": {
        const { by: author, count } = action;
        const deposit = this.depositOf(count, at);
        this.entries.push({ author, count, addedAt: at, deposit, contested: 0, refunded: false });
        this.#pace = this.#paceAt(at) + BigInt(count) * BigInt(terms.fixWindow);
        this.#pacedAt = at;
        this.left -= count;
        return;
      }
      case "fix": {
        const row = this.rowOf(action);
        if (row.taken === row.fixes.length) this.entries[action.entry]!.contested++;
        row.fixes.push({
          ...{ fixer: action.by, removes: action.removes, state: "Judging", verdict: undefined },
          ...{ deadline: at + terms.stepWindow, byFixer: false, votes: new Map() },
        });
        return;
      }
      case "refund": {
        const entry = this.entries[action.entry]!;
        entry.refunded = true;
        this.#credit(entry.author, BigInt(entry.count - entry.contested) * (entry.deposit + terms.price));
        return;
      }
      case "close":
        this.#credit(terms.owner, BigInt(this.left) * terms.price);
        this.isOpen = false;
        this.left = 0;
        return;
    }
    const fix = this.fixOf(action.place)!;
    const next = at + terms.stepWindow;
    switch (action.kind) {
      case "judge":
        Object.assign(fix, { state: "Judged", verdict: action.right, deadline: next });
        return;
      case "appeal":
        Object.assign(fix, { state: "Drawing", byFixer: action.by === fix.fixer, deadline: next });
        return;
      case "empanel":
        Object.assign(fix, { state: "Voting", deadline: next });
        for (const member of drawn) fix.votes.set(member, { right: undefined, revealed: false });
        return;
      case "commitVote":
        fix.votes.get(action.by)!.right = action.right;
        if (all(fix)) fix.deadline = next;
        return;
      case "revealVote":
        fix.votes.get(action.by)!.revealed = true;
        return;
      case "take":
        this.#take(action.place, fix);
    }
  }

  /** All that the contract holds of the campaign and owes to no account. */
  held(): bigint {
    const { price, bond } = this.terms;
    let held = this.isOpen ? BigInt(this.left) * price : 0n;
    for (const { count, contested, deposit, refunded } of this.entries) {
      if (!refunded) held += BigInt(count - contested) * (deposit + price);
    }
    for (const [key, { fixes, taken, fixedBy }] of this.#rows) {
      if (fixes.length === taken) continue;
      const { deposit } = this.entries[Number(key.split("/")[0])]!;
      if (fixedBy === undefined) held += deposit + price;
      for (const { state } of fixes.slice(taken)) {
        held += bond + (state === "Drawing" || state === "Voting" ? campaignFeesOf(this.terms) : 0n);
      }
    }
    return held;
  }

  #take(place: FixPlace, fix: CampaignFix): void {
    const { owner, price, reward, bond } = this.terms;
    const row = this.rowOf(place);
    const entry = this.entries[place.entry]!;
    if (fix.state === "Drawing" || fix.state === "Voting") this.#payPanel(fix, entry.author);
    fix.state = "Taken";
    row.taken++;
    const right = row.fixedBy === undefined && fix.verdict === true;
    if (right) {
      row.fixedBy = fix;
      const won = fix.removes ? 0n : reward;
      this.#credit(fix.fixer, bond + entry.deposit + won);
      this.#credit(owner, price - won);
    } else {
      const isFalse = row.fixedBy === undefined && fix.verdict === false;
      this.#credit(isFalse ? entry.author : fix.fixer, bond);
    }
    if (row.fixedBy !== undefined || row.taken !== row.fixes.length) return;
    entry.contested--;
    if (entry.refunded) this.#credit(entry.author, entry.deposit + price);
  }

  /** Those that revealed are paid, unless a majority found otherwise; the rest of the fees goes back. */
  #payPanel(fix: CampaignFix, author: Address): void {
    const revealed = [...fix.votes].filter(([, vote]) => vote.revealed);
    const rights = revealed.filter(([, vote]) => vote.right).length;
    const majority = [rights, revealed.length - rights].findIndex((count) => 2 * count > fix.votes.size);
    if (majority !== -1) fix.verdict = majority === 0;
    const paid = revealed.filter(([, vote]) => majority === -1 || vote.right === (majority === 0));
    for (const [member] of paid) this.#credit(member, this.terms.fee);
    const rest = BigInt(CAMPAIGN_PANEL - paid.length) * this.terms.fee;
    this.#credit(fix.byFixer ? fix.fixer : author, rest);
  }

  #isRipe(fix: CampaignFix, at: number): boolean {
    if (fix.state === "Taken") return false;
    if (fix.state === "Judging") return at > fix.deadline + this.terms.stepWindow;
    if (fix.state !== "Voting") return at > fix.deadline;
    const votes = [...fix.votes.values()];
    if (votes.every(({ revealed }) => revealed)) return true;
    const waiting = votes.some(({ right, revealed }) => right !== undefined && !revealed);
    return at > (waiting ? this.#revealBy(fix) : fix.deadline);
  }

  #revealBy(fix: CampaignFix): number {
    return all(fix) ? fix.deadline : fix.deadline + this.terms.stepWindow;
  }

  #paceAt(at: number): bigint {
    const drained = BigInt(at - this.#pacedAt) * BigInt(this.terms.capacity);
    return drained >= this.#pace ? 0n : this.#pace - drained;
  }

  #credit(account: Address, amount: bigint): void {
    if (amount > 0n) this.owed.set(account, (this.owed.get(account) ?? 0n) + amount);
  }
}

/** Whether the whole panel has committed. */
function all(fix: CampaignFix): boolean {
  return [...fix.votes.values()].every(({ right }) => right !== undefined);
}
