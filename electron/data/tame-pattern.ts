/**
 * Patterns of foreign tokenizers. The native library ends the whole process where a pattern takes too many steps, so only those are
 * let in whose steps grow no faster than the text: what real tokenizers split by, and what repeats once in each alternative.
 * Syntax: Oniguruma's (https://github.com/kkos/oniguruma/blob/master/doc/RE), of which the rest is refused.
 */

/** Alternatives of GPT-2's, Llama 3's, Qwen2's and o200k's patterns that repeat twice, over signs of different kinds. */
const knownAlternatives = new Set([
  String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`,
  String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
  String.raw`\s*[\r\n]+`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
]);

const longest = 2000;
/** Ways that optional and counted parts of one alternative may be taken. */
const mostWays = 4;

/** How an alternative repeats: parts without an end, and ways to take the others. */
interface Repeats {
  readonly endless: number;
  readonly ways: number;
}
const once: Repeats = { endless: 0, ways: 1 };

class Refused extends Error {}

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  whole(): void {
    this.alternatives(true);
    if (this.at < this.text.length) throw new Refused('a ) too many');
  }

  /** Up to a closing bracket or the end: the worst of the alternatives. */
  private alternatives(outermost: boolean): Repeats {
    let worst = once;
    do {
      const from = this.at;
      const own = this.sequence();
      if (outermost && knownAlternatives.has(this.text.slice(from, this.at))) continue;
      if (own.endless > 1) throw new Refused('more than one repetition in an alternative');
      if (own.ways > mostWays) throw new Refused('many optional parts in an alternative');
      worst = { endless: Math.max(worst.endless, own.endless), ways: Math.max(worst.ways, own.ways) };
    } while (this.took('|'));
    return worst;
  }

  private sequence(): Repeats {
    let [endless, ways] = [0, 1];
    while (this.at < this.text.length && !/[|)]/.test(this.text[this.at] ?? '')) {
      const group = this.text[this.at] === '(';
      const atom = group ? this.group() : this.single();
      const own = this.repeated(atom, group);
      endless += own.endless;
      ways *= own.ways;
    }
    return { endless, ways };
  }

  private group(): Repeats {
    const opened = /^\((\?(:|=|!|i:|i\)))?/.exec(this.text.slice(this.at))?.[0] ?? '';
    if (opened === '(' && this.text[this.at + 1] === '?') throw new Refused('a group of another kind');
    this.at += opened.length;
    if (opened === '(?i)') return once;
    const inner = this.alternatives(false);
    if (!this.took(')')) throw new Refused('a ( too many');
    return inner;
  }

  private single(): Repeats {
    const escape = /^\\([pP]\{[^}]*\}|.)/su.exec(this.text.slice(this.at, this.at + 64))?.[0];
    if (escape !== undefined) {
      if (/^\\[1-9kgRXK]/.test(escape)) throw new Refused('a reference or a sign that repeats by itself');
      this.at += escape.length;
    } else if (this.text[this.at] === '[') this.set();
    else if (/[*+?{]/.test(this.text[this.at] ?? '')) throw new Refused('a repetition of nothing, or of a repetition');
    else this.at += 1;
    return once;
  }

  private set(): void {
    let depth = 0;
    do {
      const sign = this.text[this.at];
      if (sign === undefined) throw new Refused('a [ too many');
      if (sign === '[') depth += 1;
      if (sign === ']') depth -= 1;
      this.at += sign === '\\' ? 2 : 1;
    } while (depth > 0);
  }

  private repeated(atom: Repeats, group: boolean): Repeats {
    const sign = /^(?:[*+?]|\{\d*,?\d*\})/.exec(this.text.slice(this.at, this.at + 24))?.[0];
    if (sign === undefined) return atom;
    this.at += sign.length;
    const counts = /^\{(\d*)(,?)(\d*)\}$/.exec(sign);
    const least = Number(counts?.[1] ?? 0);
    const most =
      sign === '?' ? 1 : counts && counts[3] !== '' ? Number(counts[3]) : counts?.[2] === '' ? least : Infinity;
    if (/[?+]/.test(this.text[this.at] ?? '') && counts === null) this.at += 1;
    if (group && most > 1) throw new Refused('a repeated group');
    return most === Infinity
      ? { endless: atom.endless + 1, ways: atom.ways }
      : { endless: atom.endless, ways: atom.ways * Math.max(1, most - least + 1) };
  }

  private took(sign: string): boolean {
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }
}

/** Why a pattern is not let in; null where it is. */
export function whyWild(pattern: string): string | null {
  if (pattern.length > longest) return `longer than ${longest} characters`;
  try {
    new Reader(pattern).whole();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
