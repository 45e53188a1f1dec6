/** What is drawn has words, and moves only by style sheets, which know who asks for less motion: read from the window's sources. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { filesBelow, root } from '../language/scan.js';

const sources = filesBelow('renderer', ['.svelte', '.ts', '.css']).map((file) => ({
  file,
  text: readFileSync(`${root}/${file}`, 'utf8'),
}));
const matches = (pattern: RegExp) =>
  sources.flatMap(({ file, text }) => (text.match(pattern) ?? []).map((found) => `${file}: ${found}`));

it('has words for each picture, or keeps it from screen readers', () => {
  const pictures = matches(/<(?:svg|canvas|img)\b[^>]*>/g);
  expect(pictures.length).toBeGreaterThan(4);
  expect(pictures.filter((found) => !/aria-hidden="true"|aria-label=|\balt=/.test(found))).toEqual([]);
});

it('moves nothing by script', () => {
  expect(
    matches(/behavior: 'smooth'|scroll-behavior: smooth|\.animate\(|svelte\/(?:transition|animate|motion)/g),
  ).toEqual([]);
});

it('opens ECharts in one place, which asks each chart for words and a table', () => {
  expect(matches(/from '\.\/echarts\.js'/g)).toEqual(["renderer/charts/Chart.svelte: from './echarts.js'"]);
  expect(matches(/from 'echarts[^']*'/g).every((found) => found.startsWith('renderer/charts/echarts.ts'))).toBe(true);
});
