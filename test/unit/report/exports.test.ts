/** Reports as files: complete, self-contained and harmless. */
import { writeFile } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { reportSchema } from '../../../electron/contract/index.js';
import { studySchema } from '../../../electron/contract/study.js';
import { listMethods } from '../../../electron/engine/index.js';
import { reportFile } from '../../../electron/report/index.js';
import { everyFigure } from '../../fixtures/reports/every-figure.js';

const looks = (type: string) => listMethods().find((method) => method.type === type) ?? null;
const write = async (format: Parameters<typeof reportFile>[1], report = everyFigure) => {
  const file = await reportFile(report, format, looks);
  const kept = process.env['REPORT_SAMPLES'];
  if (kept) await writeFile(`${kept}/report.${format}`, file);
  return file;
};

describe('HTML', async () => {
  const html = String(await write('html'));

  it('needs nothing but itself and runs nothing', () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe|javascript:|@import/i);
    expect(html.match(/(?:src|href)="/g)).toBeNull();
    expect(html.match(/url\((?!#)/g)).toBeNull();
    expect(html.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:/);
  });

  it('draws every figure with a name for who does not see it, and its values as a table', () => {
    const pictures = [...html.matchAll(/<svg role="img" aria-label="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(pictures).toHaveLength(everyFigure.figures.length);
    expect(pictures.every((label) => label.length > 60)).toBe(true);
    expect(html.match(/<div class="values">/g)).toHaveLength(everyFigure.figures.length);
  });

  it('knows every colour it names, in both themes', () => {
    const [styles = ''] = html.match(/<style>[\s\S]*?<\/style>/) ?? [];
    const [light = '', dark = ''] = styles.split('prefers-color-scheme:dark');
    const named = new Set([...html.matchAll(/var\((--[\w-]+)\)/g)].map((match) => match[1] ?? ''));
    named.delete('--tone');
    named.delete('--cat-ref');
    expect(named.size).toBeGreaterThan(20);
    for (const name of named) {
      expect(light, name).toContain(`${name}:#`);
      expect(dark, name).toContain(`${name}:#`);
    }
    expect(html).not.toMatch(/undefined|NaN|Infinity/);
  });

  it('gives every method of the app its own colour', () => {
    for (const { colour } of listMethods()) if (colour !== 'cat-ref') expect(html).toContain(`--${colour}:#`);
  });

  it('says the verdicts first, in words with their runs, and takes no name for markup', () => {
    const at = (text: string) => html.indexOf(text);
    expect(at('LoRA is ahead of full fine-tuning')).toBeGreaterThan(0);
    expect(at('LoRA is ahead of full fine-tuning')).toBeLessThan(at('<figure>'));
    for (const word of ['For PEFT', 'Against PEFT', 'Equal', 'Cannot tell yet'])
      expect(html).toContain(`<b>${word}</b>`);
    expect(html).toContain('Rests on runs 4, 5, 6');
    expect(html).toContain('news &lt;b&gt;2024&lt;/b&gt;');
    expect(html).not.toContain('<b>2024');
  });

  it('ends with all that it takes to repeat it', () => {
    const [, json = ''] = html.match(/<pre>([\s\S]*?)<\/pre>/) ?? [];
    const study: unknown = JSON.parse(json.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>'));
    expect(studySchema.parse(study)).toEqual(everyFigure.provenance.study);
    for (const { name, contentHash } of everyFigure.provenance.data) {
      expect(html).toContain(contentHash);
      expect(html).toContain(name.replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
    }
  });

  it('is the same file for the same report', async () => {
    expect(await reportFile(everyFigure, 'html', looks)).toBe(html);
  });
});

describe('CSV', async () => {
  const text = String(await write('csv'));
  const records = parse(text, { bom: true, relax_column_count: true }) as string[][];

  it('holds every table and every figure with its numbers as they are', () => {
    for (const { title } of everyFigure.tables) expect(records).toContainEqual([title]);
    for (const { title } of everyFigure.figures) expect(records).toContainEqual([`Figure: ${title}`]);
    const at = records.findIndex((record) => record[0] === 'Scores on test with all examples');
    expect(records[at + 1]).toEqual(expect.arrayContaining(['macro F1 [share]', 'macro F1 95 % from', 'runs']));
    expect(records[at + 3]?.slice(0, 5)).toEqual(['LoRA', 'r 8, \u03b1 16', '0.93', '0.919', '0.9410000000000001']);
    expect(records[at + 3]?.at(-1)).toBe('4 5 6');
  });

  it('holds no formula', () => {
    const formulas = records.flat().filter((field) => /^[=+@\t]/.test(field) || /^-(?![\d.])/.test(field));
    expect(formulas).toEqual([]);
    expect(records.flat()).toContain('\'=HYPERLINK("x")');
  });
});

it('JSON is the report, and its study alone is a study', async () => {
  const report = reportSchema.parse(JSON.parse(String(await write('json'))));
  expect(report).toEqual(everyFigure);
  expect(studySchema.safeParse(report.provenance.study).success).toBe(true);
});

describe('PDF', () => {
  /** What the pages draw, unpacked. */
  function pages(file: Uint8Array): string {
    const bytes = Buffer.from(file);
    const text = bytes.toString('latin1');
    return [...text.matchAll(/stream\r?\n/g)]
      .map((match) => {
        const start = match.index + match[0].length;
        const end = text.indexOf('endstream', start);
        try {
          return inflateSync(bytes.subarray(start, end)).toString('latin1');
        } catch {
          return '';
        }
      })
      .join('\n');
  }

  it('has pages with text in its own font and figures as lines, not as pictures', async () => {
    const file = Buffer.from((await write('pdf')) as Uint8Array);
    expect(file.subarray(0, 5).toString()).toBe('%PDF-');
    expect(file.toString('latin1').trimEnd().endsWith('%%EOF')).toBe(true);
    expect(file.toString('latin1')).toContain('Roboto');
    expect(file.toString('latin1')).not.toContain('/Subtype /Image');
    const drawn = pages(file);
    expect(drawn.match(/\bTJ\b/g)?.length ?? 0).toBeGreaterThan(200);
    // A curve is a path of several lines in its method's colour.
    expect(drawn).toMatch(/(?:[\d.-]+ [\d.-]+ l\n){3}/);
  });

  it('says so where its font lacks letters', async () => {
    const named = { ...everyFigure, title: '\u5c11\u6837\u672c' };
    const [plain, foreign] = await Promise.all([write('pdf'), reportFile(named, 'pdf', looks)]);
    expect((foreign as Uint8Array).length).not.toBe((plain as Uint8Array).length);
  });
});
