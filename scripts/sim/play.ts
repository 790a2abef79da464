import { type Call, part } from "./assumptions.ts";
import type { Chance } from "./chance.ts";
import type { Course, Game, Party, Truth, Vote, Voter } from "./game.ts";
import { type Ending, PANEL, type Round, type Seat, type SeatEnd } from "./rules.ts";

type Verdict = "pass" | "fail" | "unmet" | "inconclusive";
type Member = readonly [Party, Voter];

/** One job from its posting to its end, by the contract's states. */
export function play(game: Game, chance: Chance): Course {
  const { otherwise } = game;
  if (otherwise !== undefined && chance.flip(otherwise.likely)) return play(otherwise.game, chance);
  return new Job(game, chance).play();
}

class Job {
  readonly #game: Game;
  readonly #chance: Chance;
  readonly #seats: Seat<Party>[] = [];
  readonly #calls: [Party, Call][] = [];
  readonly #measured = new Map<Party, number>();
  #round: Round = "first";
  #worked = false;
  #keyShown = false;
  #leaked = false;
  #named = false;
  #challenged = false;
  #appealed = false;
  #disclosed = false;
  #oneSided = false;
  #passed = false;

  constructor(game: Game, chance: Chance) {
    this.#game = game;
    this.#chance = chance;
  }

  play(): Course {
    const ending = this.#run();
    const { requester, provider, task } = this.#game;
    const held = this.#leaked || (this.#keyShown && provider.work === "good" && !task.fails);
    return {
      ending,
      calls: this.#calls,
      measured: this.#measured,
      worked: this.#worked,
      result: held && requester.takes,
    };
  }

  #run(): Ending<Party> {
    const { requester, provider, task, terms } = this.#game;
    this.#call("requester", "post");
    if (requester.cancels) return this.#end("cancelled", "requester", "cancel");
    this.#call("provider", "accept");
    if (provider.releases) return this.#end("released", "provider", "release");
    if (requester.stops !== undefined) return this.#stop(requester.stops);
    this.#worked = provider.work === "good";
    if (requester.blocks === "run" || provider.work === "none") {
      return this.#end("runMissed", "requester", "expire");
    }
    this.#leaked = task.leaks;
    if (task.leaks && !task.fails) return this.#end("released", "provider", "release");
    if (this.#worked && !(this.#chance.flip(task.agrees.own) && this.#chance.flip(task.agrees.own))) {
      return this.#end("released", "provider", "release");
    }
    this.#call("provider", "submit");
    if (terms.validators > 0) return this.#firstRound();
    return this.#isKeyHidden() ? this.#missClaim() : this.#claim(true);
  }

  #stop(at: number): Ending<Party> {
    const { terms, task } = this.#game;
    const { used, floor, cap } = terms.stop;
    this.#worked = at >= used;
    this.#leaked = this.#worked && task.leaks;
    const paid = part(terms.price, Math.max(floor, Math.min(cap, at)));
    return { ...this.#end("stopped", "requester", "stop"), paid };
  }

  #firstRound(): Ending<Party> {
    const { requester, provider, terms } = this.#game;
    const held = provider.work !== "unhosted" || requester.appointsUnseen;
    if (requester.names !== undefined && held) {
      this.#named = true;
      this.#call("requester", "appoint");
      const members = requester.names.map((voter): Member => ["named", voter]);
      return this.#decide(this.#hold("first", members));
    }
    if (provider.hides === "seed") return this.#missClaim();
    this.#oneSided = true;
    this.#call("provider", "draw");
    return this.#decide(this.#hold("first", this.#draw(terms.validators, true)));
  }

  /** The provider shows the key; what was drawn by it alone, or by nobody, waits for a challenge. */
  #claim(open: boolean): Ending<Party> {
    const { requester, provider } = this.#game;
    this.#call("provider", "claim");
    this.#keyShown = true;
    if (!open) return this.#end("settled", "provider", "pay");
    const wrong = provider.work !== "good";
    const asks = requester.challenges === "always" || (requester.challenges === "wrong" && wrong);
    if (!asks || !this.#chance.flip(requester.returns)) {
      return this.#end("settled", wrong || !requester.takes ? "provider" : "requester", "settle");
    }
    this.#challenged = true;
    this.#oneSided = false;
    this.#call("requester", "challenge");
    this.#call("provider", "draw");
    return this.#decide(this.#hold("challenge", this.#draw(PANEL, false)));
  }

  #decide(verdict: Verdict): Ending<Party> {
    const { provider, task } = this.#game;
    if (verdict === "pass") {
      if (this.#challenged) return this.#end("settled", "provider", "settle");
      return this.#isKeyHidden() ? this.#missClaim() : this.#claim(this.#oneSided);
    }
    // A provider does not appeal against what it says itself.
    const agrees = verdict === "unmet" && (provider.work !== "good" || task.fails);
    const appealable =
      !this.#appealed &&
      (verdict === "inconclusive" ? this.#round !== "challenge" : this.#disclosed) &&
      provider.appeals &&
      !agrees;
    if (appealable) {
      this.#appealed = true;
      this.#call("provider", "appeal");
      return this.#decide(this.#drawAndHold("appeal"));
    }
    if (verdict === "fail") return this.#end(this.#disclosed ? "rejected" : "hid", "requester", "settle");
    if (verdict === "unmet") return this.#end("unmet", "requester", "settle");
    if (this.#round === "challenge") return this.#end("settled", "provider", "settle");
    return this.#end("inconclusive", "requester", "settle");
  }

  #drawAndHold(round: Round): Verdict {
    const oneSided = this.#askSeed();
    this.#oneSided = oneSided;
    if (this.#game.provider.hides === "seed") {
      this.#begin(round);
      return "fail";
    }
    this.#call("provider", "draw");
    return this.#hold(round, this.#draw(PANEL, oneSided));
  }

  #begin(round: Round): void {
    this.#round = round;
    this.#disclosed = false;
    this.#passed = false;
  }

  /** Whether the requester's turn passes without its seed. */
  #askSeed(): boolean {
    const { seeds } = this.#game.requester;
    if (seeds) this.#call("requester", "revealSeed");
    return !seeds;
  }

  #draw(count: number, oneSided: boolean): Member[] {
    const { pool, provider, task } = this.#game;
    const steered = pool.steered || (oneSided && provider.steers);
    if (!task.judgeable && !steered) return [];
    return Array.from({ length: count }, (): Member => {
      this.#call("provider", "drawSeat");
      return steered || this.#chance.flip(pool.share) ? ["sybils", pool.sybil] : ["drawn", pool.honest];
    });
  }

  /** Commit, refill once, reveal, judge. */
  #hold(round: Round, members: readonly Member[]): Verdict {
    this.#begin(round);
    const { provider } = this.#game;
    const votes = members.map((member) => this.#vote(round, member));
    const left = votes.filter(([, vote]) => vote === "leave").length;
    if (left > 0) {
      const oneSided = this.#askSeed();
      if (provider.hides === "seed") {
        this.#seat(round, votes, () => "unheard");
        return "fail";
      }
      this.#oneSided ||= oneSided;
      this.#call("provider", "draw");
      for (const member of this.#draw(left, oneSided)) votes.push(this.#vote(round, member));
    }
    const seated = votes.filter(([, vote]) => vote !== "leave");
    const revealed = seated.filter(([, vote]) => vote !== "hide");
    const hidden = provider.hides === "measurement" && revealed.length > 0;
    this.#seat(round, votes, (vote) =>
      hidden ? "unheard" : vote === "pass" || vote === "unmet" ? vote : "fail",
    );
    if (hidden) return "fail";
    this.#disclosed = revealed.length > 0;
    const most = (wanted: Vote) => 2 * revealed.filter(([, vote]) => vote === wanted).length > seated.length;
    this.#passed = most("pass");
    return (["pass", "fail", "unmet"] as const).find(most) ?? "inconclusive";
  }

  #vote(round: Round, [who, voter]: Member): [Party, Vote] {
    const { vote, measured } = voter(this.#truth(round), this.#chance, round);
    if (measured) this.#measured.set(who, (this.#measured.get(who) ?? 0) + 1);
    if (this.#game.requester.friends.includes(who)) this.#keyShown = true;
    this.#call(who, vote === "leave" ? "abstain" : "commit");
    if (vote !== "leave" && vote !== "hide") this.#call(who, "reveal");
    return [who, vote];
  }

  #truth(round: Round): Truth {
    const { work } = this.#game.provider;
    if (work === "unhosted") return "none";
    if (work === "garbage" || work === "claims") return "differs";
    if (work === "untrained") return "short";
    const { agrees, fails } = this.#game.task;
    if (!this.#chance.flip(agrees[round])) return "differs";
    return fails ? "short" : "agrees";
  }

  #seat(round: Round, votes: readonly [Party, Vote][], endOf: (vote: Vote) => SeatEnd): void {
    for (const [who, vote] of votes) {
      const end = vote === "leave" ? "left" : vote === "hide" ? "hid" : endOf(vote);
      this.#seats.push({ who, round, end });
    }
  }

  #isKeyHidden(): boolean {
    return this.#game.provider.hides === "key" || this.#game.requester.blocks === "claim";
  }

  #missClaim(): Ending<Party> {
    return this.#end("claimMissed", "requester", "expire");
  }

  #call(who: Party, call: Call): void {
    this.#calls.push([who, call]);
  }

  #end(state: Ending<Party>["state"], by: Party, call: Call): Ending<Party> {
    this.#call(by, call);
    for (let i = 0; i < this.#seats.length; i++) this.#call(by, "closeSeat");
    return {
      state,
      round: this.#round,
      passed: this.#passed,
      seats: this.#seats,
      challenged: this.#challenged,
      appealed: this.#appealed,
      named: this.#named,
    };
  }
}
