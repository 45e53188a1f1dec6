/** A session of faults: their order by seed, a line of each, and a table in the end. */
import { uniforms } from '../helpers/tiny-model.js';
import type { Kind, Struck } from './kind.js';
import { World } from './world.js';

/** A fault that takes longer has made something hang. */
const MILLISECONDS_AT_MOST = 180_000;

interface Tally {
  faults: number;
  strikes: number;
  missed: number;
  lost: number;
}

export class Session {
  readonly #tallies = new Map<string, Tally>();
  readonly #lost: string[] = [];
  #stopped = false;

  private constructor(
    private readonly kinds: readonly Kind[],
    private readonly work: string | null,
    private readonly world: World,
    private readonly print: (line: string) => void,
  ) {}

  static async open(kinds: readonly Kind[], work: string | null = null, print = console.log): Promise<Session> {
    const able = kinds.filter((kind) => {
      const why = kind.hindered();
      if (why !== null) print(`${kind.name}: not here, ${why}`);
      return why === null;
    });
    return new Session(able, work, await World.make(), print);
  }

  /** Ends after the fault at hand. */
  stop(): void {
    this.#stopped = true;
  }

  /** Faults until so many came about or the time is up. @returns how many were not without loss */
  async strike(count: number, firstSeed: number, milliseconds = Infinity): Promise<number> {
    const turns = inTurn(this.kinds);
    const until = Date.now() + milliseconds;
    let faults = 0;
    for (let at = 0; turns.length > 0 && faults < count && Date.now() < until && !this.#stopped; at += 1) {
      const kind = turns[at % turns.length] as Kind;
      faults += await this.#one(kind, firstSeed + at);
    }
    this.#table();
    return this.#lost.length;
  }

  close(): Promise<void> {
    return this.world.remove();
  }

  async #one(kind: Kind, seed: number): Promise<number> {
    const tally = this.#tallies.get(kind.name) ?? { faults: 0, strikes: 0, missed: 0, lost: 0 };
    this.#tallies.set(kind.name, tally);
    const works = kind.works.filter((name) => this.work === null || name === this.work);
    const work = works[Math.floor(uniforms(seed ^ 0x5eed)() * works.length)];
    if (work === undefined) throw new Error(`${kind.name} does not strike ${this.work}.`);
    const started = performance.now();
    const told = (words: string) =>
      this.print(`seed ${seed} ${kind.name}/${work} ${((performance.now() - started) / 1000).toFixed(1)} s: ${words}`);
    tally.strikes += 1;
    let timer: NodeJS.Timeout | undefined;
    try {
      const struck = await Promise.race([
        kind.strike(this.world, work, seed),
        new Promise<Struck>((_, reject) => {
          timer = setTimeout(() => reject(new Error('It hangs.')), MILLISECONDS_AT_MOST);
        }),
      ]);
      tally.faults += struck.faults;
      if (struck.faults === 0) tally.missed += 1;
      told(struck.words);
      return struck.faults;
    } catch (error) {
      tally.faults += 1;
      tally.lost += 1;
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#lost.push(`seed ${seed} ${kind.name}/${work}: ${words}`);
      told(`LOST ${words}`);
      return 1;
    } finally {
      clearTimeout(timer);
    }
  }

  #table(): void {
    const row = (cells: readonly (string | number)[]) =>
      cells.map((cell, at) => (at === 0 ? String(cell).padEnd(14) : String(cell).padStart(8))).join('');
    const sum = (key: keyof Tally) => [...this.#tallies.values()].reduce((total, tally) => total + tally[key], 0);
    this.print(row(['', 'faults', 'strikes', 'missed', 'lost']));
    for (const [name, { faults, strikes, missed, lost }] of this.#tallies)
      this.print(row([name, faults, strikes, missed, lost]));
    this.print(row(['all', sum('faults'), sum('strikes'), sum('missed'), sum('lost')]));
    for (const line of this.#lost) this.print(line);
  }
}

/** Kinds in an order in which each comes as often as it weighs, spread evenly. */
function inTurn(kinds: readonly Kind[]): Kind[] {
  return kinds
    .flatMap((kind) => Array.from({ length: kind.weight }, (_, at) => ({ kind, place: (at + 0.5) / kind.weight })))
    .sort((one, other) => one.place - other.place)
    .map(({ kind }) => kind);
}
