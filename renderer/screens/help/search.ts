/** Search over all pages of the help, offline: by words and their beginnings, small slips forgiven, titles first. */
import MiniSearch from 'minisearch';

export interface Searched {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
}

/** Returns what tells the pages that answer a query, the best first. */
export function helpSearch(pages: readonly Searched[]): (query: string) => readonly Searched[] {
  const index = new MiniSearch<Searched>({
    fields: ['title', 'summary', 'text'],
    searchOptions: {
      boost: { title: 4 },
      prefix: true,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      combineWith: 'AND',
    },
  });
  index.addAll(pages);
  const byId = new Map(pages.map((page) => [page.id, page]));
  return (query) => index.search(query).flatMap(({ id }) => byId.get(String(id)) ?? []);
}
