import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askedIn, planFileCalls } from '../../../electron/studio/plan-file.js';

const plan = { model: 'Starter', data: 'rows', method: { type: 'lora', rank: 4 } };
const matrix = { model: 'Starter', data: 'rows', methods: [{ type: 'lora' }, { type: 'full' }], seeds: [1, 2] };
const study = { kind: 'quality', model: 'Starter', data: ['rows'], methods: [{ type: 'lora' }] };

describe('what a file asks for', () => {
  it('is a plan, methods by seeds, a study, or the study of a report, with what it leaves out', () => {
    expect(askedIn(plan)).toMatchObject({ kind: 'plan', plan: { method: { type: 'lora', rank: 4 }, device: 'auto' } });
    expect(askedIn(matrix)).toMatchObject({ kind: 'matrix', matrix: { seeds: [1, 2], training: { epochs: 3 } } });
    expect(askedIn(study)).toMatchObject({ kind: 'study', study: { seeds: [1, 2, 3] } });
    expect(askedIn({ title: 'A report', provenance: { study } })).toMatchObject({ kind: 'study' });
  });

  it.each([
    ['rows', [{ text: 'a', label: 'b' }]],
    ["SQuAD's file", { version: '1.1', data: [{ title: 'x', paragraphs: [] }] }],
    ['a row that is named so', { model: 'T', data: 1990, text: 'a car' }],
    ['no object', 'lora'],
    ['nothing', null],
  ])('is nothing for %s', (_, value) => expect(askedIn(value)).toBeNull());

  it.each([
    ['an unknown key', { ...plan, traning: {} }, 'traning'],
    ['a value of training', { ...plan, training: { epochs: -1 } }, 'training.epochs'],
    ['an option of the method', { ...plan, method: { type: 'lora', rank: 0 } }, 'method.rank'],
    ['a method of several', { ...matrix, methods: [{ type: 'lora' }, { type: 'lora', rank: 'x' }] }, 'methods.1.rank'],
    ['no seeds', { ...matrix, seeds: [] }, 'seeds'],
    ['the kind of a study', { ...study, kind: 'taste' }, 'kind'],
    ['data of a study', { ...study, data: 'rows' }, 'data'],
    ['a study of a report', { provenance: { study: { ...study, zone: 0 } } }, 'zone'],
  ])('is refused by the name of its key: %s', (_, value, key) => {
    expect(() => askedIn(value)).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        context: expect.objectContaining({ path: key }) as object,
      }) as Error,
    );
  });
});

describe('plans.read', () => {
  let folder = '';
  beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'peft-studio-plan-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const read = async (text: string) => {
    const file = path.join(folder, 'plan.json');
    await writeFile(file, text);
    return planFileCalls()['plans.read']({ path: file });
  };

  it('reads a file, with a byte order mark too', async () => {
    expect((await read(`\uFEFF${JSON.stringify(plan)}`)).asked?.kind).toBe('plan');
  });
  it('leaves rows, lines and no JSON to the import of data', async () => {
    for (const text of ['[{"text":"a"}]', '{"text":"a"}\n{"text":"b"}\n', 'text', ''])
      expect((await read(text)).asked).toBeNull();
  });
});
