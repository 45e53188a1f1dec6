import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { commandWords } from '../../../electron/shell/command-words.js';
import { OpenedFiles, projectFiles } from '../../../electron/shell/opening.js';
import { startSchema } from '../../../electron/shell/second-start.js';

describe('projectFiles', () => {
  it('takes paths and addresses of project files, and nothing else', () => {
    const words = [
      '--no-sandbox',
      '.',
      'notes.txt',
      'mine.peftproject',
      '/data/Old One.PEFTPROJECT',
      'file:///data/with%20space.peftproject',
      'https://example.com/far.peftproject',
      '--out=x.peftproject',
    ];
    expect(projectFiles(words, '/home/me')).toEqual([
      '/home/me/mine.peftproject',
      '/data/Old One.PEFTPROJECT',
      '/data/with space.peftproject',
    ]);
  });

  it('hands on what the running app accepts', () => {
    const files = projectFiles(
      Array.from({ length: 40 }, (_, i) => `${i}.peftproject`),
      '/',
    );
    expect(startSchema.parse({ files })).toEqual({ files });
    expect(startSchema.safeParse({ files: [1] }).success).toBe(false);
    expect(startSchema.safeParse(undefined).success).toBe(false);
  });
});

describe('OpenedFiles', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'peft-studio-opening-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('keeps files until somebody listens, and leaves out what is not there', async () => {
    const [early, late] = [path.join(folder, 'a.peftproject'), path.join(folder, 'b.peftproject')];
    await Promise.all([writeFile(early, ''), writeFile(late, '')]);
    const opened = new OpenedFiles();
    const take = vi.fn();
    await opened.add([early, path.join(folder, 'gone.peftproject'), folder]);
    opened.listen(take);
    await opened.add([late]);
    expect(take.mock.calls).toEqual([[early], [late]]);
    opened.listen(null);
    await opened.add([early]);
    expect(take).toHaveBeenCalledTimes(2);
    opened.listen(take);
    expect(take).toHaveBeenCalledTimes(3);
  });
});

describe('commandWords', () => {
  it('opens the window without --cli', () => {
    expect(commandWords(['/opt/peft-studio', '--no-sandbox', 'mine.peftproject'])).toBeNull();
  });
  it('gives everything behind --cli to the command', () => {
    expect(commandWords(['peft-studio', '--disable-gpu', '--cli', '--', 'run', '--json', 'a b.json'])).toEqual([
      'run',
      '--json',
      'a b.json',
    ]);
    expect(commandWords(['peft-studio', '--cli', 'data', 'list', '--', 'x'])).toEqual(['data', 'list', '--', 'x']);
    expect(commandWords(['peft-studio', '--cli'])).toEqual([]);
  });
});
