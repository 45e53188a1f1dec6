import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { problemSchema, StudioError } from '../../../electron/contract/errors.js';
import { EngineError } from '../../../electron/engine/index.js';
import { inStep, toProblem } from '../../../electron/trainer/problems.js';

describe('toProblem', () => {
  it('keeps code, message, hint and facts of the app and the engine', () => {
    expect(toProblem(new StudioError('conflict', 'taken', 'rename it', { name: 'a' }))).toEqual({
      code: 'conflict',
      message: 'taken',
      hint: 'rename it',
      context: { name: 'a' },
    });
    expect(
      toProblem(new EngineError('bad-model', 'unknown architecture "x"', 'use bert', { file: 'config.json' })),
    ).toEqual({
      code: 'bad-model',
      message: 'unknown architecture "x"',
      hint: 'use bert',
      context: { file: 'config.json' },
    });
    expect(toProblem(new EngineError('bad-graph', 'MatMul [2,3] by [4,5]')).code).toBe('internal');
  });

  it('gives memory and device failures a remedy of their own', () => {
    expect(toProblem(new EngineError('out-of-memory', 'no room'))).toMatchObject({
      code: 'out-of-memory',
      hint: expect.stringContaining('smaller batch'),
    });
    expect(toProblem(new EngineError('device-failed', 'lost'))).toMatchObject({
      code: 'device-failed',
      hint: expect.stringContaining('CPU'),
    });
    for (const message of [
      'std::bad_alloc',
      'Array buffer allocation failed',
      'Failed to allocate memory for requested buffer of size 1073741824',
      'Invalid typed array length: 99999999999',
    ]) {
      expect(toProblem(new RangeError(message))).toMatchObject({ code: 'out-of-memory' });
    }
    expect(toProblem(new Error('Device lost: DXGI_ERROR_DEVICE_REMOVED'))).toMatchObject({ code: 'device-failed' });
  });

  it('names device and step of what fails in a step on another device than the CPU', () => {
    const failed = new EngineError('device-failed', 'The device webgpu failed: lost.', 'Mend it.', {
      device: 'webgpu',
    });
    expect(toProblem(inStep(failed, 7))).toMatchObject({
      code: 'device-failed',
      message: 'Step 7: The device webgpu failed: lost.',
      hint: expect.stringContaining('Go on on the CPU'),
      context: { device: 'webgpu', step: 7 },
    });
    const full = new EngineError('out-of-memory', 'The device dml ran out of memory.', null, { device: 'dml' });
    expect(toProblem(inStep(full, 7))).toMatchObject({
      code: 'out-of-memory',
      hint: expect.stringContaining('smaller batch'),
      context: { device: 'dml', step: 7 },
    });
    for (const other of [
      new EngineError('device-failed', 'The device cpu failed.', null, { device: 'cpu' }),
      new EngineError('bad-graph', 'MatMul'),
      new Error('unforeseen'),
    ])
      expect(inStep(other, 7)).toBe(other);
  });

  it('names the file of a file system error', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'problems-')), 'missing.txt');
    const error: unknown = await readFile(path).catch((caught: unknown) => caught);
    expect(toProblem(error)).toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining(path),
      context: { errno: 'ENOENT' },
    });
    expect(toProblem(Object.assign(new Error('write'), { code: 'ENOSPC' }))).toMatchObject({
      code: 'no-space',
      hint: expect.stringContaining('Free some space'),
    });
    expect(toProblem(Object.assign(new Error('open'), { code: 'EROFS', path: '/x' }))).toMatchObject({
      code: 'no-access',
      message: '/x: the folder is read-only.',
    });
  });

  it('says of a disk that fails what can be done about it', () => {
    for (const code of ['EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'EFBIG', 'EMFILE']) {
      const problem = toProblem(Object.assign(new Error('write'), { code, path: '/x' }));
      expect(['no-access', 'no-space'], code).toContain(problem.code);
      expect(problem.message).toMatch(/^\/x: /);
      expect(problem.hint).toMatch(/try again\.$/);
    }
  });

  it('takes a folder that could not be made for a disk at fault, not for a file that is missing', () => {
    const error = Object.assign(new Error('mkdir'), { code: 'ENOENT', syscall: 'mkdir', path: '/x' });
    expect(toProblem(error)).toMatchObject({ code: 'no-access', message: '/x: the folder could not be made.' });
  });

  it('names the path of a value that a schema refuses, and takes anything else as internal', () => {
    const refused = z.strictObject({ a: z.object({ b: z.number() }) }).safeParse({ a: { b: 'x' } });
    expect(toProblem(refused.error)).toMatchObject({ code: 'bad-input', message: expect.stringContaining('a.b') });
    expect(toProblem('text')).toMatchObject({ code: 'internal', message: 'text' });
    expect(problemSchema.parse(toProblem(new Error('unforeseen')))).toMatchObject({
      code: 'internal',
      context: { where: expect.stringContaining('problems.test') },
    });
  });
});
