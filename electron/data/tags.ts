/**
 * Tags of words that mark entities. Files have them in several schemes (IOB1, IOB2, BIOES and its kin, bare types); here all become
 * BIO (IOB2): B- begins an entity, I- goes on with it, O is outside.
 */

export type TagScheme = 'bio' | 'iob1' | 'bioes' | 'bare';

/** The scheme as people call it. */
export const schemeNames: { readonly [S in TagScheme]: string } = {
  bio: 'BIO (IOB2)',
  iob1: 'IOB1',
  bioes: 'BIOES',
  bare: 'types without B- and I-',
};

/** BIOES, BILOU and BMEWO call the same four parts by other letters. */
const parts: Readonly<Record<string, 'B' | 'I' | 'E' | 'S'>> = {
  B: 'B',
  I: 'I',
  M: 'I',
  E: 'E',
  L: 'E',
  S: 'S',
  U: 'S',
  W: 'S',
};

interface Tag {
  readonly part: 'B' | 'I' | 'E' | 'S' | 'O';
  readonly type: string;
}

const outside: Tag = { part: 'O', type: '' };

function readTag(tag: string, scheme: TagScheme): Tag {
  if (tag === 'O') return outside;
  if (scheme === 'bare') return { part: 'I', type: tag };
  return { part: parts[tag[0] ?? ''] ?? 'I', type: tag.slice(2) };
}

const prefixed = /^[BIMELSUW]-./;

/** Does a tag mark entities by a prefix? */
export const isPrefixed = (tag: string): boolean => prefixed.test(tag);

/** Finds the scheme of tags as sentences go by. */
export class SchemeFinder {
  private prefixed = 0;
  private outside = 0;
  /** The first tag of neither kind. */
  private bare: string | null = null;
  private single = 0;
  /** Entities, after O or one of another type, that begin with B and with I. */
  private begun = { B: 0, I: 0 };

  add(tags: readonly string[]): void {
    let before = outside;
    for (const tag of tags) {
      if (tag === 'O') this.outside += 1;
      else if (!isPrefixed(tag)) this.bare ??= tag;
      else {
        this.prefixed += 1;
        if (!/^[BI]/.test(tag)) this.single += 1;
      }
      const own = readTag(tag, isPrefixed(tag) || tag === 'O' ? 'bioes' : 'bare');
      if ((own.part === 'B' || own.part === 'I') && (before.part === 'O' || before.type !== own.type))
        this.begun[own.part] += 1;
      before = own;
    }
  }

  /** The scheme, or why there is none. */
  scheme(): TagScheme | { readonly problem: string } {
    if (this.prefixed === 0 && this.bare === null) return { problem: 'every tag is O: there are no entities to learn' };
    if (this.prefixed > 0 && this.bare !== null)
      return {
        problem: `the tag "${this.bare}" has no prefix, while others have one; B-TYPE, I-TYPE and O are expected`,
      };
    if (this.prefixed === 0)
      return this.outside > 0
        ? 'bare'
        : {
            problem: `no word has the tag O: tags such as "${this.bare ?? ''}" are of every word (parts of speech, perhaps), and entities are expected (B-TYPE, I-TYPE, O)`,
          };
    if (this.single > 0) return 'bioes';
    return this.begun.B === 0 && this.begun.I > 0 ? 'iob1' : 'bio';
  }
}

export interface BioTags {
  readonly tags: readonly string[];
  /** Places whose tag is not as its scheme has it: an entity that begins with I-, or goes on with another type. */
  readonly malformed: readonly number[];
}

/** Tags of one sentence as BIO. Malformed ones are read leniently, as seqeval reads them: what cannot go on begins anew. */
export function toBio(tags: readonly string[], scheme: TagScheme): BioTags {
  const malformed: number[] = [];
  let before = outside;
  const bio = tags.map((tag, place) => {
    const own = readTag(tag, scheme);
    const open = before.part === 'B' || before.part === 'I';
    const goesOn = (own.part === 'I' || own.part === 'E') && open && before.type === own.type;
    if ((own.part === 'I' || own.part === 'E') && !goesOn && (scheme === 'bio' || scheme === 'bioes'))
      malformed.push(place);
    before = own;
    return own.part === 'O' ? 'O' : `${goesOn ? 'I' : 'B'}-${own.type}`;
  });
  return { tags: bio, malformed };
}
