/** Hash routes: the address is the one record of where the user is. */

export const projectSections = [
  'data',
  'models',
  'runs',
  'compare',
  'studies',
  'playground',
  'compose',
  'exports',
] as const;
export type ProjectSection = (typeof projectSections)[number];

export type Route =
  | { readonly screen: 'home' }
  | { readonly screen: 'runs' }
  | { readonly screen: 'settings' }
  | { readonly screen: 'help'; readonly page: string }
  /** `detail` is what follows the section: a run's id, "import", a data set's id. */
  | {
      readonly screen: 'project';
      readonly projectId: number;
      readonly section: ProjectSection;
      readonly detail: string | null;
    };

/** Reads "#/project/3/runs/12"; anything unknown leads home. */
export function parseRoute(hash: string): Route {
  const [first = '', second = '', third = '', fourth = ''] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decodeURIComponent);
  if (first === 'settings' || first === 'runs') return { screen: first };
  if (first === 'help') return { screen: 'help', page: second || 'start' };
  if (first === 'project' && /^[1-9]\d*$/.test(second)) {
    const section = projectSections.find((name) => name === third) ?? 'data';
    return { screen: 'project', projectId: Number(second), section, detail: fourth || null };
  }
  return { screen: 'home' };
}

/** The hash of a route; the inverse of `parseRoute`. */
export function hrefOf(route: Route): string {
  switch (route.screen) {
    case 'home':
      return '#/';
    case 'runs':
    case 'settings':
      return `#/${route.screen}`;
    case 'help':
      return `#/help/${encodeURIComponent(route.page)}`;
    case 'project':
      return `#/project/${route.projectId}/${route.section}${route.detail === null ? '' : `/${encodeURIComponent(route.detail)}`}`;
  }
}

/** Address of a project's section, for links: `projectHref(3, 'runs', 12)`. */
export function projectHref(projectId: number, section: ProjectSection, detail: string | number | null = null): string {
  return hrefOf({ screen: 'project', projectId, section, detail: detail === null ? null : String(detail) });
}

class Router {
  route = $state.raw<Route>(parseRoute(globalThis.location?.hash ?? ''));

  /** Project of the present address, null outside projects. */
  get projectId(): number | null {
    return this.route.screen === 'project' ? this.route.projectId : null;
  }

  constructor() {
    globalThis.addEventListener?.('hashchange', () => (this.route = parseRoute(location.hash)));
  }

  go(href: string): void {
    location.hash = href;
  }
}

export const router = new Router();
