import { describe, expect, it } from 'vitest';
import { allCommands, matching, offer } from '../../../../renderer/shell/commands.svelte.js';
import { parseRoute, router } from '../../../../renderer/state/router.svelte.js';
import type { Command } from '../../../../renderer/shell/commands.svelte.js';

const command = (title: string, group: Command['group'] = 'App'): Command => ({
  id: title,
  group,
  title,
  icon: 'settings',
  run: () => undefined,
});

describe('matching', () => {
  const list = [
    command('Theme: dark'),
    command('The home', 'Go to'),
    command('Pause LoRA, seed 6', 'Runs'),
    command('Open dark matter', 'Projects'),
    command('Dark roast', 'Projects'),
  ];
  it('wants every word, in title or group', () => {
    expect(matching(list, 'lora pause').map((it) => it.title)).toEqual(['Pause LoRA, seed 6']);
    expect(matching(list, 'runs')).toHaveLength(1);
    expect(matching(list, 'nothing')).toEqual([]);
  });
  it('puts titles that begin so first in their group, and keeps groups together', () => {
    expect(matching(list, 'dark').map((it) => it.title)).toEqual(['Theme: dark', 'Dark roast', 'Open dark matter']);
  });
  it('lists all for no words', () => expect(matching(list, '  ')).toHaveLength(5));
});

describe('commands of a screen', () => {
  it('stand first while it is shown and go with it', () => {
    const stop = offer('test', [{ id: 'only-here', title: 'Only here', icon: 'play', run: () => undefined }]);
    expect(allCommands()[0]).toMatchObject({ id: 'only-here', group: 'Here' });
    stop();
    expect(allCommands().some((it) => it.id === 'only-here')).toBe(false);
  });
  it.each(['#/', '#/project/3/runs/1'])('have ids of their own at %s', (hash) => {
    router.route = parseRoute(hash);
    const ids = allCommands().map((it) => it.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
