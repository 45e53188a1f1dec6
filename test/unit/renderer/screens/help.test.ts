import { describe, expect, it } from 'vitest';
import { toHtml } from '../../../../renderer/screens/help/markdown.js';
import { pages } from '../../../../renderer/screens/help/pages.js';

describe('toHtml', () => {
  it('writes markup as text', () => expect(toHtml('<script>alert(1)</script>')).not.toContain('<script'));
  it('keeps inner links and turns outside ones into text with their address', () => {
    const html = toHtml('[inside](#/help/data) and [paper](https://example.org/a?b=1&c=2)');
    expect(html).toContain('<a href="#/help/data">inside</a>');
    expect(html).not.toContain('href="https');
    expect(html).toContain('https://example.org/a?b=1&amp;c=2');
  });
  it('refuses script addresses', () => expect(toHtml('[x](javascript:alert(1))')).not.toContain('href'));
  it('aligns cells without inline styles, which the content security policy forbids', () => {
    const html = toHtml('| a | b |\n| --- | ---: |\n| x | 1 |');
    expect(html).toContain('<td class="n">1</td>');
    expect(html).not.toContain('style=');
  });
});

describe('pages', () => {
  it('have a title, no exclamation and only links that lead somewhere', () => {
    const ids = pages.map((page) => page.id);
    for (const page of pages) {
      expect(page.text.replaceAll('`', '')).not.toMatch(/\w!/);
      for (const [, target = ''] of page.text.matchAll(/\(#\/help\/([a-z-]+)\)/g)) expect(ids).toContain(target);
    }
  });
});
