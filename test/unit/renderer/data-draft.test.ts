import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FilePreview } from '../../../electron/contract/index.js';
import { draft } from '../../../renderer/screens/data/draft.svelte.js';
import { assignRole, baseName } from '../../../renderer/screens/data/roles.js';
import { RowPages } from '../../../renderer/screens/data/rows.svelte.js';

const column = (name: string, suggestedRole: FilePreview['columns'][number]['suggestedRole']) => ({
  name,
  distinct: 3,
  empty: 0,
  meanLength: 9,
  numbers: null,
  suggestedRole,
});
const preview: FilePreview = {
  path: '/data/tickets.csv',
  bytes: 100,
  format: 'csv',
  encoding: 'utf-8',
  delimiter: ',',
  header: true,
  rowsSampled: 2,
  problems: [],
  suggestedTask: 'classification',
  tagging: null,
  questions: null,
  generation: { form: 'text', text: 'body' },
  multiLabel: null,
  columns: [column('id', 'ignore'), column('body', 'text'), column('queue', 'label'), column('part', 'ignore')],
  rows: [
    ['1', 'a', 'x', 'train'],
    ['2', 'b', 'y', 'test'],
  ],
};
type Handler = (name: string, input: Record<string, unknown>) => unknown;
function studio(handler: Handler): void {
  vi.stubGlobal('window', {
    studio: {
      call: async (name: string, input: Record<string, unknown>) => {
        const value = handler(name, input);
        return typeof value === 'object' && value !== null && 'code' in value
          ? { ok: false, problem: value }
          : { ok: true, value };
      },
      on: () => () => undefined,
    },
  });
}
const settled = () =>
  vi.waitFor(() => {
    if (draft.inspecting) throw new Error('still inspecting');
  });

beforeEach(() => draft.reset());
afterEach(() => vi.unstubAllGlobals());

describe('roles', () => {
  it('takes a role from the column that had it', () => {
    expect(assignRole({ a: 'text', b: 'label', c: 'ignore' }, 'c', 'text')).toEqual({
      a: 'ignore',
      b: 'label',
      c: 'text',
    });
    expect(assignRole({ a: 'text', b: 'ignore' }, 'a', 'ignore')).toEqual({ a: 'ignore', b: 'ignore' });
  });
  it('names a data set after its file', () => {
    expect(baseName('/home/a/tickets-2025.csv')).toBe('tickets-2025');
    expect(baseName('C:\\data\\clauses.PARQUET')).toBe('clauses');
    expect(baseName('notes.v2.md')).toBe('notes.v2.md');
  });
});

describe('import draft', () => {
  async function chosen(): Promise<void> {
    studio((name) => (name === 'files.choose' ? { path: preview.path } : preview));
    expect(await draft.choose(7)).toBe(true);
    await settled();
  }

  it('is ready after a readable file, with suggested roles and shares', async () => {
    await chosen();
    expect(draft.missing).toBeNull();
    expect(draft.request()).toMatchObject({
      projectId: 7,
      name: 'tickets',
      path: preview.path,
      textColumn: 'body',
      pairColumn: null,
      labelColumn: 'queue',
      validation: 0.15,
      test: 0.15,
      splitColumn: null,
      seed: 1,
      badRows: 'stop',
    });
  });

  it('splits by a column as soon as one has that role, and back when it loses it', async () => {
    await chosen();
    draft.setRole('part', 'split');
    expect(draft.request()).toMatchObject({ splitColumn: 'part', validation: null, test: null });
    draft.setRole('part', 'ignore');
    expect(draft.mode).toBe('shares');
  });

  it('says what is missing instead of sending it', async () => {
    await chosen();
    draft.setRole('queue', 'ignore');
    expect(draft.missing).toBe('Give one column the role Label.');
    expect(draft.request()).toBeNull();
    draft.setRole('queue', 'label');
    draft.testShare = 80;
    expect(draft.missing).toMatch(/10 %/);
    draft.testShare = 0;
    expect(draft.request()?.test).toBeNull();
    draft.mode = 'files';
    expect(draft.missing).toMatch(/test file/);
    draft.testFile = '/data/test.csv';
    expect(draft.request()).toMatchObject({ test: '/data/test.csv', validation: 0.15 });
  });

  it('keeps the reason when the file cannot be read', async () => {
    studio((name) =>
      name === 'files.choose'
        ? { path: '/data/x.csv' }
        : { code: 'bad-file', message: 'x.csv is a PNG picture.', hint: 'Choose a text file.', context: {} },
    );
    await draft.choose(7);
    await settled();
    expect(draft.problem?.message).toBe('x.csv is a PNG picture.');
    expect(draft.missing).toMatch(/can be read/);
  });

  /** A studio that answers an inspection when it is told to: by its path and delimiter. */
  function slowStudio() {
    const answers = new Map<string, (answer: unknown) => void>();
    vi.stubGlobal('window', {
      studio: {
        call: async (_name: string, { path, reading }: { path: string; reading: { delimiter?: string } }) =>
          new Promise((resolve) => answers.set(path + (reading.delimiter ?? ''), resolve)),
        on: () => () => undefined,
      },
    });
    return async (of: string, answer: FilePreview | null) => {
      const problem = { code: 'bad-file', message: `${of} is no table.`, hint: null, context: {} };
      await vi.waitFor(() => expect(answers.has(of)).toBe(true));
      answers.get(of)?.(answer ? { ok: true, value: answer } : { ok: false, problem });
      // What waits for the answer has gone on by then.
      await new Promise((resolve) => setTimeout(resolve));
    };
  }

  it('leaves aside that a former file could not be read', async () => {
    const answer = slowStudio();
    draft.open(7, '/data/former.csv');
    draft.open(7, preview.path);
    await answer('/data/former.csv', null);
    expect(draft.problem).toBeNull();
    expect(draft.inspecting).toBe(true);
    await answer(preview.path, preview);
    expect(draft.preview).toEqual(preview);
    expect(draft.inspecting).toBe(false);
    draft.open(7, '/data/former.csv');
    draft.open(7, preview.path);
    await answer(preview.path, preview);
    await answer('/data/former.csv', null);
    expect(draft.preview).toEqual(preview);
    expect(draft.problem).toBeNull();
  });

  it('shows the file as it was asked for last, however its readings overtake each other', async () => {
    const answer = slowStudio();
    draft.open(7, preview.path);
    void draft.inspect({ delimiter: ';' });
    await answer(`${preview.path};`, { ...preview, delimiter: ';' });
    await answer(preview.path, preview);
    expect(draft.preview?.delimiter).toBe(';');
    expect(draft.reading).toEqual({ delimiter: ';' });
  });

  it('is not filled by a reading that ends after it was given up', async () => {
    const answer = slowStudio();
    draft.open(7, preview.path);
    draft.reset();
    expect(draft.inspecting).toBe(false);
    await answer(preview.path, null);
    expect(draft.problem).toBeNull();
  });

  it('does nothing when the dialog is closed', async () => {
    studio(() => ({ path: null }));
    expect(await draft.choose(7)).toBe(false);
    expect(draft.path).toBeNull();
  });
});

describe('row pages', () => {
  it('fetches a page once, and drops what a newer filter makes stale', async () => {
    const asked: Record<string, unknown>[] = [];
    studio((_name, input) => {
      asked.push(input);
      const offset = Number(input['offset']);
      return {
        total: 250,
        rows: Array.from({ length: Math.min(100, 250 - offset) }, (_, i) => ({
          id: offset + i + 1,
          split: 'train',
          position: i,
          text: `row ${offset + i}`,
          pair: null,
          label: 'x',
          line: offset + i + 2,
        })),
      };
    });
    const pages = new RowPages(3);
    pages.filter({ split: null, label: null, search: '' });
    pages.filter({ split: 'train', label: 'x', search: 'row' });
    pages.show(90, 110);
    pages.show(90, 110);
    await vi.waitFor(() => expect(pages.at(105)?.text).toBe('row 105'));
    expect(pages.total).toBe(250);
    expect(asked.filter((a) => a['search'] === 'row').map((a) => a['offset'])).toEqual([0, 100]);
    expect(asked[1]).toMatchObject({ id: 3, limit: 100, split: 'train', label: 'x' });
    expect(pages.at(249)).toBeUndefined();
    // How many fit is counted with the first page only.
    pages.show(240, 249);
    await vi.waitFor(() => expect(pages.at(249)?.text).toBe('row 249'));
    expect(asked.map((a) => a['total'])).toEqual([undefined, undefined, undefined, 250]);
  });
});
