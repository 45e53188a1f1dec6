import { open } from 'node:fs/promises';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { readRows } from '../../../electron/data/index.js';
import { allRows, scratchFolder } from './scratch.js';

const files = scratchFolder();
const values = (rows: Awaited<ReturnType<typeof allRows>>) =>
  rows.map((row) => ('values' in row ? row.values : row.problem));

describe('CSV and TSV', () => {
  test('a row with other fields than the header has is reported with its line; empty cells at the end are harmless', async () => {
    const path = await files.write('fields.csv', 'text,label\nfine,a\nthree,b,more\nonly\ntrailing,c,,\n');
    expect(await allRows(path)).toEqual([
      { line: 2, values: { text: 'fine', label: 'a' } },
      { line: 3, problem: '3 fields where there are 2 columns' },
      { line: 4, problem: '1 field where there are 2 columns' },
      { line: 5, values: { text: 'trailing', label: 'c' } },
    ]);
  });

  test('repeated and blank column names become different ones', async () => {
    const path = await files.write('names.csv', 'text,,text\nx,y,z\nu,v,w\n');
    expect(values(await allRows(path, { header: true }))[0]).toEqual({ text: 'x', 'column 2': 'y', 'text (2)': 'z' });
  });

  test('150 MB in one cell: the row is left out by name of the limit, the rest is read, memory stays small', async () => {
    const path = files.path('huge.csv');
    const handle = await open(path, 'w');
    await handle.write('text,label\nbefore,a\n');
    const block = Buffer.alloc(1 << 20, 'x');
    for (let count = 0; count < 150; count += 1) await handle.write(block);
    await handle.write(',b\nafter,c\n');
    await handle.close();
    const before = process.memoryUsage().rss;
    let most = 0;
    const rows = [];
    for await (const row of readRows(
      path,
      {},
      {
        onBytes: () => {
          most = Math.max(most, process.memoryUsage().rss);
        },
      },
    ))
      rows.push(row);
    expect(rows).toEqual([
      { line: 2, values: { text: 'before', label: 'a' } },
      { line: 3, problem: 'cell 1 is longer than the limit of 1 MiB a cell' },
      { line: 4, values: { text: 'after', label: 'c' } },
    ]);
    expect(most - before).toBeLessThan(100 << 20);
  });
});

describe('JSON', () => {
  test('values become text; null and absent ones leave no key; a bad element is reported and the rest read', async () => {
    const path = await files.write(
      'rows.json',
      '[{"text": "a", "label": 1, "ok": true, "none": null, "list": [1, {"x": "y"}]},\n{"text": "b" "label": 2},\n7,\n{"__proto__": "p"}]',
    );
    const rows = await allRows(path);
    expect(rows[0]).toEqual({ line: 1, values: { text: 'a', label: '1', ok: 'true', list: '[1,{"x":"y"}]' } });
    expect(rows[1]).toMatchObject({ line: 2, problem: expect.stringMatching(/^invalid JSON: /) });
    expect(rows[2]).toEqual({ line: 3, problem: 'a number where an object with named values is expected' });
    expect(rows[3] !== undefined && 'values' in rows[3] && Object.entries(rows[3].values)).toEqual([
      ['__proto__', 'p'],
    ]);
  });

  test('lines: bad ones carry their number, blank ones are passed over', async () => {
    const path = await files.write(
      'rows.jsonl',
      '{"text":"a","label":"x"}\r\n\r\n{"text":\r\n{"text":"b","label":"y"}',
    );
    const rows = await allRows(path);
    expect(rows.map(({ line }) => line)).toEqual([1, 3, 4]);
    expect(rows[1]).toMatchObject({ problem: expect.stringMatching(/^invalid JSON: /) });
  });

  test('a cell over the limit and a row over the limit', async () => {
    const path = await files.write(
      'big.jsonl',
      `{"text":"${'x'.repeat(1_100_000)}","label":"a"}\n{"text":"${'x'.repeat(9 << 20)}"}\n{"text":"ok"}\n`,
    );
    expect(await allRows(path, { format: 'jsonl' })).toEqual([
      { line: 1, problem: '"text" is longer than the limit of 1 MiB a cell' },
      { line: 2, problem: 'the row is longer than the limit of 8 MiB' },
      { line: 3, values: { text: 'ok' } },
    ]);
  });
});

describe('plain text', () => {
  test('a row a line; fastText labels are told apart', async () => {
    expect(await allRows(await files.write('plain.txt', 'One sentence, with a comma.\n\nAnother.\n'))).toEqual([
      { line: 1, values: { text: 'One sentence, with a comma.' } },
      { line: 3, values: { text: 'Another.' } },
    ]);
    expect(values(await allRows(await files.write('fast.txt', '__label__good nice one\n__label__bad no\n')))).toEqual([
      { label: 'good', text: 'nice one' },
      { label: 'bad', text: 'no' },
    ]);
  });
});

describe('Parquet', () => {
  const parquet = (rows: number) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'text', data: Array.from({ length: rows }, (_, row) => `text ${row}`), type: 'STRING' },
          { name: 'label', data: Array.from({ length: rows }, (_, row) => BigInt(row % 3)), type: 'INT64' },
          {
            name: 'score',
            data: Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? row / 2 : null)),
            type: 'DOUBLE',
            nullable: true,
          },
        ],
        rowGroupSize: 10_000,
      }),
    );

  test('reads ranges over row groups in order; numbers become text, null leaves no key', async () => {
    const path = await files.write('rows.parquet', parquet(25_000));
    const rows = await allRows(path);
    expect(rows).toHaveLength(25_000);
    expect(rows[0]).toEqual({ line: 1, values: { text: 'text 0', label: '0', score: '0' } });
    expect(
      rows.every(
        (row, index) =>
          'values' in row &&
          row.line === index + 1 &&
          row.values['text'] === `text ${index}` &&
          row.values['label'] === String(index % 3),
      ),
    ).toBe(true);
    expect(rows[24_999]).toEqual({ line: 25_000, values: { text: 'text 24999', label: '0' } });
  });

  test('a cut file and a false one are named', async () => {
    const whole = parquet(100);
    await expect(allRows(await files.write('cut.parquet', whole.slice(0, whole.length - 20)))).rejects.toThrow(
      'cut.parquet is no readable Parquet file',
    );
    await expect(allRows(await files.write('false.parquet', 'text,label\na,b\n'))).rejects.toThrow(
      'does not begin with PAR1',
    );
  });
});

test('reading stops at a signal, and the file is let go when the reader leaves', async () => {
  const path = await files.write('long.csv', `text,label\n${'some text,a\n'.repeat(200_000)}`);
  const controller = new AbortController();
  const read = async () => {
    for await (const row of readRows(path, {}, { signal: controller.signal })) if (row.line > 1000) controller.abort();
  };
  await expect(read()).rejects.toMatchObject({ code: 'cancelled' });
  let count = 0;
  for await (const row of readRows(path)) {
    count += row.line > 0 ? 1 : 0;
    if (count === 10) break;
  }
  expect(count).toBe(10);
});
