import { describe, expect, it } from 'vitest';
import { hrefOf, parseRoute, projectHref, projectSections } from '../../../../renderer/state/router.svelte.js';
import type { Route } from '../../../../renderer/state/router.svelte.js';

describe('routes', () => {
  const routes: Route[] = [
    { screen: 'home' },
    { screen: 'runs' },
    { screen: 'settings' },
    { screen: 'help', page: 'lora' },
    ...projectSections.map((section): Route => ({ screen: 'project', projectId: 3, section, detail: null })),
    { screen: 'project', projectId: 3, section: 'runs', detail: '12' },
    { screen: 'project', projectId: 3, section: 'data', detail: 'a/b c' },
  ];
  it.each(routes.map((route) => [hrefOf(route), route] as const))('%s leads to its route', (href, route) =>
    expect(parseRoute(href)).toEqual(route),
  );

  it('leads home from what it does not know', () => {
    for (const hash of [
      '',
      '#',
      '#/nowhere',
      '#/project',
      '#/project/0/data',
      '#/project/x/data',
      '#/project/1e3/runs',
    ])
      expect(parseRoute(hash)).toEqual({ screen: 'home' });
  });
  it('opens the data of a project whose section is unknown', () =>
    expect(parseRoute('#/project/4/zzz')).toEqual({ screen: 'project', projectId: 4, section: 'data', detail: null }));
  it('makes links', () => expect(projectHref(3, 'runs', 12)).toBe('#/project/3/runs/12'));
});
