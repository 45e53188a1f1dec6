import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trainingSchema } from '../../../../electron/contract/index.js';
import { formFields, limitedTo, wordsOf } from '../../../../renderer/state/schema-form.js';

describe('formFields', () => {
  it('reads a method schema as zod writes it', () => {
    const schema = z.strictObject({
      type: z.literal('lora'),
      rank: z.int().min(1).max(512).default(8).describe('Rank r'),
      dropout: z.number().min(0).max(0.9).default(0),
      targetModules: z.array(z.string()).default(['query', 'value']),
      placement: z.enum(['houlsby', 'pfeiffer']).default('pfeiffer'),
      bias: z.boolean().default(true),
      limit: z.number().positive().nullable().default(null),
    });
    expect(formFields(z.toJSONSchema(schema, { io: 'input' }))).toEqual([
      {
        key: 'rank',
        title: 'Rank',
        description: 'Rank r',
        nullable: false,
        optional: false,
        kind: 'number',
        integer: true,
        min: 1,
        max: 512,
        initial: 8,
        words: [],
      },
      {
        key: 'dropout',
        title: 'Dropout',
        description: null,
        nullable: false,
        optional: false,
        kind: 'number',
        integer: false,
        min: 0,
        max: 0.9,
        initial: 0,
        words: [],
      },
      {
        key: 'targetModules',
        title: 'Target modules',
        description: null,
        nullable: false,
        optional: false,
        kind: 'list',
        open: true,
        numeric: false,
        choices: ['query', 'value'],
        initial: ['query', 'value'],
      },
      {
        key: 'placement',
        title: 'Placement',
        description: null,
        nullable: false,
        optional: false,
        kind: 'choice',
        choices: ['houlsby', 'pfeiffer'],
        initial: 'pfeiffer',
      },
      { key: 'bias', title: 'Bias', description: null, nullable: false, optional: false, kind: 'flag', initial: true },
      {
        key: 'limit',
        title: 'Limit',
        description: null,
        nullable: true,
        optional: false,
        kind: 'number',
        integer: false,
        min: 0,
        max: null,
        above: true,
        initial: null,
        words: [],
      },
    ]);
  });

  it('finds a field of a known kind for every training setting', () => {
    const fields = formFields(z.toJSONSchema(trainingSchema, { io: 'input' }));
    expect(fields.map((field) => field.key)).toEqual(Object.keys(trainingSchema.shape));
    const kinds = Object.fromEntries(
      fields.map((field) => [field.key, `${field.kind}${field.nullable ? ' or null' : ''}`]),
    );
    expect(kinds).toMatchObject({
      epochs: 'number',
      maxSteps: 'number or null',
      schedule: 'choice',
      shuffle: 'flag',
      gradientClip: 'number or null',
      earlyStoppingPatience: 'number or null',
    });
  });

  it('allows only the listed words where the schema lists them', () => {
    const [field] = formFields({
      properties: { parts: { type: 'array', items: { enum: ['q', 'k'] }, default: ['q'] } },
    });
    expect(field).toMatchObject({ kind: 'list', open: false, choices: ['q', 'k'] });
  });
  it('prefers the list among shorthands', () => {
    const [field] = formFields({
      properties: {
        targetModules: {
          anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
          default: ['query'],
          examples: [['query', 'key']],
        },
      },
    });
    expect(field).toMatchObject({ kind: 'list', choices: ['query', 'key'] });
  });
  it('reads a list of objects of numbers as rows', () => {
    const row = z.strictObject({
      blocks: z.int().min(1),
      rate: z.number().max(10).nullable().default(null).meta({ empty: 'by rule' }),
    });
    const [field] = formFields(
      z.toJSONSchema(z.strictObject({ stages: z.array(row).nullable().default(null) }), { io: 'input' }),
    );
    expect(field).toMatchObject({
      key: 'stages',
      kind: 'rows',
      nullable: true,
      fields: [
        { key: 'blocks', kind: 'number', integer: true, min: 1, nullable: false },
        { key: 'rate', kind: 'number', integer: false, max: 10, nullable: true, initial: null, empty: 'by rule' },
      ],
    });
  });
  it('takes a number or a word, and lists of numbers', () => {
    const fields = formFields(
      z.toJSONSchema(
        z.strictObject({
          scaling: z.union([z.number().positive().max(1000), z.literal('learned')]).optional(),
          layersToTransform: z.array(z.int().min(0)).optional(),
        }),
        { io: 'input' },
      ),
    );
    expect(fields).toMatchObject([
      { key: 'scaling', kind: 'number', max: 1000, words: ['learned'], optional: true },
      { key: 'layersToTransform', kind: 'list', open: true, numeric: true, optional: true },
    ]);
  });
  it('knows what may be left out', () => {
    const fields = formFields(
      z.toJSONSchema(
        z.strictObject({
          rank: z.int(),
          activation: z.enum(['relu', 'gelu']).optional(),
          targetModules: z.union([z.array(z.string()), z.string()]).optional(),
        }),
        { io: 'input' },
      ),
    );
    expect(fields.map((field) => [field.key, field.kind, field.optional])).toEqual([
      ['rank', 'number', false],
      ['activation', 'choice', true],
      ['targetModules', 'list', true],
    ]);
  });
  it('limits a number further, never less, and nothing else', () => {
    const [length, word] = formFields(
      z.toJSONSchema(z.strictObject({ length: z.int().max(64).default(8), word: z.string().default('a') })),
    );
    if (!length || !word) throw new Error('there are both');
    expect(limitedTo(32, length)).toMatchObject({ key: 'length', max: 32 });
    expect(limitedTo(128, length)).toMatchObject({ key: 'length', max: 64 });
    expect(limitedTo(32, word)).toBe(word);
  });
  it('has no fields for what is no object schema', () => expect(formFields({})).toEqual([]));
});

describe('words', () => {
  it('writes keys as words', () =>
    expect(['targetModules', 'loadIn8bit', 'beta2'].map(wordsOf)).toEqual([
      'Target modules',
      'Load in 8 bits',
      'Beta2',
    ]));
});
