import { describe, expect, test } from 'vitest';
import { detectReading } from '../../../electron/data/index.js';
import { allRows, scratchFolder } from './scratch.js';

const files = scratchFolder();
const utf16 = (text: string, big = false) =>
  big ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le');
const table = 'text;label\nGrüße aus Köln, schön;a\nEr zahlte 1,50 €;b\nNichts, gar nichts;a\n';

describe('encoding', () => {
  test.each([
    ['utf-8', Buffer.from(table)],
    ['utf-8', Buffer.from(`\ufeff${table}`)],
    ['utf-16le', utf16(`\ufeff${table}`)],
    ['utf-16be', utf16(`\ufeff${table}`, true)],
    ['utf-16le', utf16(table)],
    ['utf-16be', utf16(table, true)],
  ])('%s, case %#', async (encoding, bytes) => {
    const path = await files.write(`encoded-${encoding}-${bytes.length}-${bytes[0]}.csv`, bytes);
    expect(await detectReading(path)).toMatchObject({ format: 'csv', encoding, delimiter: ';', header: true });
    expect(await allRows(path)).toMatchObject([
      { line: 2, values: { text: 'Grüße aus Köln, schön', label: 'a' } },
      { values: { text: 'Er zahlte 1,50 €' } },
      {},
    ]);
  });

  test('windows-1252, also where the first odd byte stands far behind', async () => {
    const cp1252 = Buffer.from('text,label\nCaf\xe9 na\xefve,a\n\x93quoted\x94 \x80 5,b\n', 'latin1');
    const path = await files.write('western.csv', cp1252);
    expect(await detectReading(path)).toMatchObject({ encoding: 'windows-1252' });
    expect(await allRows(path)).toMatchObject([
      { values: { text: 'Café naïve' } },
      { values: { text: '“quoted” € 5' } },
    ]);
    const late = await files.write(
      'late.csv',
      Buffer.concat([
        Buffer.from(`text,label\n${'plain words,a\n'.repeat(60_000)}`),
        Buffer.from('caf\xe9 cr\xe8me,b\n', 'latin1'),
      ]),
    );
    expect((await allRows(late)).at(-1)).toMatchObject({ values: { text: 'café crème', label: 'b' } });
  });

  test('a character cut by a block border is still UTF-8', async () => {
    const path = await files.write('border.csv', `text,label\n${'x'.repeat(256 * 1024 - 13)}😀é,a\n`);
    expect(await detectReading(path)).toMatchObject({ encoding: 'utf-8' });
  });

  test('a Cyrillic code page', async () => {
    const words =
      'Поезд отправляется в девять часов утра с первой платформы; ожидается сильный дождь и ветер на побережье';
    const cyrillic = Buffer.from(
      `text,label\n${words},a\n`
        .split('')
        .map((c) => (c >= 'А' && c <= 'я' ? c.charCodeAt(0) - 0x410 + 0xc0 : c === 'ё' ? 0xb8 : c.charCodeAt(0))),
    );
    expect(await detectReading(await files.write('cyrillic.csv', cyrillic))).toMatchObject({
      encoding: 'windows-1251',
    });
  });
});

describe('delimiter, quotes, header', () => {
  test.each([
    ['tabs.tsv', 'a\tb\n1\t2\n3\t4\n', { format: 'tsv', delimiter: '\t' }],
    ['pipes.csv', 'text|label\nyes, no|a\nmaybe|b\n', { format: 'csv', delimiter: '|' }],
    [
      'prose.txt',
      'Well, this is prose, with commas.\nAnd more, quite more, of it.\n',
      { format: 'text', delimiter: null },
    ],
    ['tabs.txt', 'text\tlabel\nx\ta\ny\tb\n', { format: 'tsv', delimiter: '\t' }],
    ['unnamed', 'text,label\nx,a\ny,b\n', { format: 'csv', delimiter: ',' }],
    ['unnamed-json', '[{"text":"x"}]', { format: 'json' }],
    ['lines.json', '{"text":"x"}\n{"text":"y"}\n', { format: 'jsonl' }],
    ['array.jsonl', '[{"text":"x"}]', { format: 'json' }],
    ['quoted.csv', 'text,label\n"a, b",x\n"c\nd",y\n', { quoted: true }],
    ['raw.tsv', 'text\tlabel\n"Yes\ta\nhe said "no"\tb\n"Maybe" she said\ta\n', { quoted: false, delimiter: '\t' }],
    ['headless.csv', 'NUM,How far is it?\nLOC,Where is it?\nNUM,How many are there?\n', { header: false }],
    ['numbers.csv', '1,good thing\n2,bad thing\n', { header: false }],
    ['semicolon.csv', 'id;value\n1,5;2,7\n2,5;3,7\n', { delimiter: ';', header: true }],
  ])('%s', async (name, content, expected) => {
    expect(await detectReading(await files.write(name, content))).toMatchObject(expected);
  });

  test("the user's word stands", async () => {
    const path = await files.write('fixed.csv', 'text,label\na;b,c\n');
    expect(await detectReading(path, { delimiter: ';', header: false, encoding: 'latin1' })).toMatchObject({
      delimiter: ';',
      header: false,
      encoding: 'latin1',
      format: 'csv',
    });
    await expect(detectReading(path, { delimiter: 'ab' })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(detectReading(path, { encoding: 'klingon' })).rejects.toThrow('no known encoding');
    await expect(detectReading(path, { format: 'parquet' })).rejects.toMatchObject({ code: 'bad-file' });
  });
});

describe('what is no table', () => {
  const random = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919 + ((at * at) % 251)) & 0xff));
  test.each([
    ['empty.csv', Buffer.alloc(0), 'is empty'],
    ['blank.csv', Buffer.from('\n \n\n'), 'holds nothing but blanks'],
    ['binary.csv', random, 'is a binary file, not text'],
    ['sheet.csv', Buffer.from('PK\x03\x04rest of a workbook', 'latin1'), 'a zip archive or an Office workbook'],
    ['picture.csv', Buffer.from('\x89PNG\r\n\x1a\n....', 'latin1'), 'a PNG image'],
    ['wide.csv', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), 'UTF-32'],
  ])('%s', async (name, bytes, message) => {
    const path = await files.write(name, bytes);
    await expect(detectReading(path)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining(message),
      hint: expect.any(String),
    });
  });

  test('a missing file and a folder', async () => {
    await expect(detectReading(files.path('nowhere.csv'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(detectReading(files.path('.'))).rejects.toThrow('is a folder');
  });
});
