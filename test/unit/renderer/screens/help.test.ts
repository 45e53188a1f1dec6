import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../../../electron/contract/errors.js';
import { measures } from '../../../../electron/contract/measures.js';
import { objectiveTable } from '../../../../electron/contract/objectives.js';
import { studyKindSchema } from '../../../../electron/contract/study.js';
import { allPages } from '../../../../renderer/screens/help/pages.js';
import { helpSearch } from '../../../../renderer/screens/help/search.js';
import { toldPages } from '../../../../renderer/screens/help/told.js';
import { problemHref } from '../../../../renderer/state/help.js';

const ids = new Set(allPages.map(({ id }) => id));

describe('the help', () => {
  it('has a page for every error, measure, objective and study kind, and no page twice', () => {
    expect(ids.size).toBe(allPages.length);
    for (const code of errorCodes) expect(ids).toContain(problemHref(code).replace('#/help/', ''));
    for (const measure of measures) expect(ids).toContain(`measure-${measure}`);
    for (const objective of Object.keys(objectiveTable)) expect(ids).toContain(`objective-${objective}`);
    for (const kind of studyKindSchema.options) expect(ids).toContain(kind);
    for (const { text } of allPages) expect(text.length).toBeGreaterThan(80);
  });

  it('links to pages that are there', () => {
    for (const { id, text } of allPages)
      for (const [, page = ''] of text.matchAll(/#\/help\/([\w-]+)/g))
        expect(ids, `${id} links to ${page}`).toContain(page);
  });

  it('is found by words, their beginnings and with slips', () => {
    const search = helpSearch(toldPages([], 'en'));
    expect(search('out of memory')[0]?.id).toBe('problem-out-of-memory');
    expect(search('perplex')[0]?.id).toBe('measure-perplexity');
    expect(search('accurracy').map(({ id }) => id)).toContain('measure-accuracy');
    expect(search('xyzzyq')).toEqual([]);
  });
});
