import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { instructionRows, rowsPerKind } from '../../../electron/dev/make-starter/dictionary.js';
import { cleanDefinition, rowsPerLabel, sampleRows, splits } from '../../../electron/dev/make-starter/domains.js';
import { parseGloss, parseSynset } from '../../../electron/dev/make-starter/wordnet.js';

const folder = join('native-assets', 'samples');
const rowSchema = z.array(
  z.object({ definition: z.string().min(1), domain: z.string().min(1), split: z.enum(splits) }),
);

describe('WordNet', () => {
  it('reads words, definition and examples of a line', () => {
    expect(
      parseSynset(
        'noun',
        '00002684 03 n 02 object 0 physical_object 0 002 @ 00001930 n 0000 + 00533687 v 0105 | a tangible and visible entity; an entity that can cast a shadow; "it was full of rackets, balls and other objects"  ',
      ),
    ).toEqual({
      id: 'noun-00002684',
      file: 3,
      words: ['object', 'physical object'],
      definition: 'a tangible and visible entity; an entity that can cast a shadow',
      examples: ['it was full of rackets, balls and other objects'],
    });
  });
  it('takes the markers of adjectives off and survives quotation marks within a definition', () => {
    expect(
      parseSynset('adj', '00002527 00 a 01 utter(a) 0 000 | complete; "an utter fool"; "utter nonsense, that"').words,
    ).toEqual(['utter']);
    expect(parseGloss('the letter "x" as a sign').definition).toBe('the letter "x" as a sign');
  });
  it('takes the field off a definition', () => {
    expect(cleanDefinition("(botany) (old)  the `green' part  of a plant")).toBe('the green part of a plant');
  });
});

/** Those of a shape. */
async function samplesIn<S extends z.ZodType>(schema: S): Promise<z.output<S>[]> {
  const { samples } = z
    .object({ samples: z.array(z.unknown()) })
    .parse(JSON.parse(await readFile(join(folder, 'samples.json'), 'utf8')));
  return samples.flatMap((sample) => {
    const parsed = schema.safeParse(sample);
    return parsed.success ? [parsed.data] : [];
  });
}

describe('the bundled instructions', () => {
  it('are what the script makes, each noun once, and counted as the card says', async () => {
    const lines = (await readFile(join(folder, 'wordnet-dictionary.jsonl'), 'utf8')).trimEnd().split('\n');
    const rows = lines.map((line): unknown => JSON.parse(line));
    const made = await instructionRows();
    expect(rows).toEqual(made.map(({ id: _id, ...row }) => row));
    expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
    expect(made.every(({ instruction, input, output }) => instruction && input && output)).toBe(true);
    const [card, ...others] = await samplesIn(
      z.object({ task: z.literal('generation'), rows: z.record(z.string(), z.number()), licenseFile: z.string() }),
    );
    expect(others).toEqual([]);
    expect(card?.rows).toEqual(
      Object.fromEntries(splits.map((split) => [split, made.filter((row) => row.split === split).length])),
    );
    expect(card?.licenseFile).toBe('wordnet-domains.LICENSE.txt');
    for (const split of splits) {
      const kinds = new Map<string, number>();
      for (const { instruction, split: own } of made)
        if (own === split) kinds.set(instruction, (kinds.get(instruction) ?? 0) + 1);
      expect([...kinds.values()]).toEqual([1, 2, 3, 4].map(() => rowsPerKind[split]));
    }
  });
});

describe('the bundled sample', () => {
  it('is what the script makes, balanced, without a text twice', async () => {
    const rows = rowSchema.parse(parse(await readFile(join(folder, 'wordnet-domains.csv'), 'utf8'), { columns: true }));
    const made = await sampleRows();
    expect(rows).toEqual(made.map(({ text, label, split }) => ({ definition: text, domain: label, split })));
    expect(new Set(rows.map(({ definition }) => definition.toLowerCase())).size).toBe(rows.length);
    expect(new Set(made.map(({ id }) => id)).size).toBe(rows.length);
    for (const split of splits) {
      const counts = new Map<string, number>();
      for (const row of rows) if (row.split === split) counts.set(row.domain, (counts.get(row.domain) ?? 0) + 1);
      expect([...counts.values()]).toEqual(Array.from({ length: 8 }, () => rowsPerLabel[split]));
    }
  });
  it('comes with its licence and a description that fits', async () => {
    const samples = await samplesIn(
      z.object({
        task: z.literal('classification'),
        file: z.string(),
        licenseFile: z.string(),
        textColumn: z.literal('definition'),
        labelColumn: z.literal('domain'),
        splitColumn: z.literal('split'),
        labels: z.array(z.string()),
        rows: z.record(z.string(), z.number()),
      }),
    );
    expect(samples).toHaveLength(1);
    expect(await readFile(join(folder, samples[0]!.licenseFile), 'utf8')).toContain(
      'WordNet 3.0 Copyright 2006 by Princeton University',
    );
    const rows = rowSchema.parse(parse(await readFile(join(folder, samples[0]!.file), 'utf8'), { columns: true }));
    expect(samples[0]!.labels).toEqual([...new Set(rows.map(({ domain }) => domain))].sort());
    expect(samples[0]!.rows).toEqual(
      Object.fromEntries(splits.map((split) => [split, rows.filter((row) => row.split === split).length])),
    );
  });
});
