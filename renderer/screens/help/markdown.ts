/** Markdown of help pages to HTML that the content security policy accepts: no raw HTML, no inline style, no outside links. */
import MarkdownIt from 'markdown-it';

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });

const isOutside = (href: string) => !href.startsWith('#');

// Nothing leaves the app: an outside address is shown for copying, never followed.
markdown.renderer.rules['link_open'] = (tokens, index, options, _env, self) => {
  const href = String(tokens[index]?.attrGet('href') ?? '');
  return isOutside(href) ? '<span class="outside">' : self.renderToken(tokens, index, options);
};
markdown.renderer.rules['link_close'] = (tokens, index, options, _env, self) => {
  let depth = 0;
  for (let i = index; i >= 0; i -= 1) {
    const token = tokens[i];
    if (token?.type === 'link_close') depth += 1;
    if (token?.type === 'link_open' && (depth -= 1) === 0) {
      const href = String(token.attrGet('href') ?? '');
      return isOutside(href)
        ? `</span> <span class="address">${markdown.utils.escapeHtml(href)}</span>`
        : self.renderToken(tokens, index, options);
    }
  }
  return self.renderToken(tokens, index, options);
};
// Alignment of table cells comes as an inline style: a class says the same.
for (const rule of ['th_open', 'td_open']) {
  markdown.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    const token = tokens[index];
    const style = token?.attrGet('style');
    if (token && style) {
      token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
      if (String(style).includes('right')) token.attrSet('class', 'n');
    }
    return self.renderToken(tokens, index, options);
  };
}

export const toHtml = (text: string): string => markdown.render(text);
