/** Every action of the window that has a name: what the palette lists. Screens add their own while they are shown. */
import { SvelteMap } from 'svelte/reactivity';
import type { IconName } from '../components/index.js';
import { app } from '../state/app.svelte.js';
import { methods } from '../state/library.svelte.js';
import { projects } from '../state/projects.svelte.js';
import { hrefOf, projectHref, router } from '../state/router.svelte.js';
import { runs } from '../state/runs.svelte.js';
import { toasts } from '../state/toasts.svelte.js';
import { sections } from './nav.js';
import { startSample } from './sample.js';
import { t } from '../language.js';

export interface Command {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly icon: IconName;
  readonly shortcut?: string;
  readonly run: () => void | Promise<unknown>;
}

/** Commands of the screens that are shown now, by screen. */
const local = new SvelteMap<string, readonly Command[]>();

/** Lists a screen's commands while it is shown: call inside an effect and return the answer. */
export function offer(screen: string, commands: readonly Omit<Command, 'group'>[]): () => void {
  local.set(
    screen,
    commands.map((command) => ({ ...command, group: t('Here') })),
  );
  return () => local.delete(screen);
}

const go = (href: string) => () => router.go(href);

export function allCommands(): Command[] {
  const projectId = router.projectId;
  const list: Command[] = [...local.values()].flat();
  list.push({
    id: 'home',
    group: t('Go to'),
    title: t('All projects'),
    icon: 'home',
    shortcut: 'Ctrl 1',
    run: go('#/'),
  });
  if (projectId !== null) {
    sections.forEach(({ section, title, icon }, i) =>
      list.push({
        id: section,
        group: t('Go to'),
        title: t(title),
        icon,
        ...(i < 6 ? { shortcut: `Ctrl ${i + 2}` } : {}),
        run: go(projectHref(projectId, section)),
      }),
    );
    list.push({
      id: 'advice',
      group: t('Go to'),
      title: t('Advice: what to ship'),
      icon: 'study',
      run: go(projectHref(projectId, 'studies', 'advice')),
    });
  }
  list.push(
    { id: 'all-runs', group: t('Go to'), title: t('All runs'), icon: 'line', run: go('#/runs') },
    {
      id: 'settings',
      group: t('Go to'),
      title: t('Settings'),
      icon: 'settings',
      shortcut: 'Ctrl ,',
      run: go('#/settings'),
    },
    {
      id: 'new-project',
      group: t('Projects'),
      title: t('New project'),
      icon: 'plus',
      shortcut: 'Ctrl N',
      run: () => void (app.newProjectOpen = true),
    },
    { id: 'sample', group: t('Projects'), title: t('Try the sample project'), icon: 'play', run: startSample },
  );
  for (const project of projects.list)
    list.push({
      id: `project-${project.id}`,
      group: t('Projects'),
      title: t('Open {project}', { project: project.name }),
      icon: 'folder',
      run: go(projectHref(project.id, 'data')),
    });
  for (const run of runs.active) {
    const name = t('{methodName}, seed {seed}', { methodName: run.methodName, seed: run.seed });
    list.push({
      id: `watch-${run.id}`,
      group: t('Runs'),
      title: t('Watch {name}', { name }),
      icon: 'line',
      run: go(projectHref(run.projectId, 'runs', run.id)),
    });
    if (run.state === 'running')
      list.push({
        id: `pause-${run.id}`,
        group: t('Runs'),
        title: t('Pause {name}', { name }),
        icon: 'pause',
        run: () => runs.pause(run.id),
      });
    if (run.state === 'paused')
      list.push({
        id: `resume-${run.id}`,
        group: t('Runs'),
        title: t('Resume {name}', { name }),
        icon: 'play',
        run: () => runs.resume(run.id),
      });
    list.push({
      id: `cancel-${run.id}`,
      group: t('Runs'),
      title: t('Cancel {name}', { name }),
      icon: 'x',
      run: () => runs.cancel(run),
    });
  }
  list.push({
    id: 'test-devices',
    group: t('App'),
    title: t('Test the devices'),
    icon: 'cpu',
    run: () => app.testDevices(),
  });
  for (const theme of ['system', 'light', 'dark'] as const)
    list.push({
      id: `theme-${theme}`,
      group: t('App'),
      title: { system: t('Theme: system'), light: t('Theme: light'), dark: t('Theme: dark') }[theme],
      icon: 'settings',
      run: () => app.set({ theme }),
    });
  list.push({
    id: 'help',
    group: t('Help'),
    title: t('Help: first steps'),
    icon: 'help',
    run: go(hrefOf({ screen: 'help', page: 'start' })),
  });
  for (const method of methods.list)
    list.push({
      id: `help-${method.type}`,
      group: t('Help'),
      title: t('Help: {method}', { method: method.title }),
      icon: 'help',
      run: go(hrefOf({ screen: 'help', page: method.type })),
    });
  return list;
}

/** Commands that hold every word of the query in title or group, those whose title begins with it first within their group. */
export function matching(commands: readonly Command[], query: string): Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = commands.filter((command) =>
    words.every((word) => `${command.title} ${command.group}`.toLowerCase().includes(word)),
  );
  const groups = [...new Set(hits.map((command) => command.group))];
  const begins = (command: Command) =>
    words.length > 0 && command.title.toLowerCase().startsWith(words.join(' ')) ? 0 : 1;
  return groups.flatMap((group) =>
    hits.filter((command) => command.group === group).sort((a, b) => begins(a) - begins(b)),
  );
}

/** Runs a command and shows what went wrong, if anything did. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.run();
  } catch (error) {
    toasts.problem(error);
  }
}
