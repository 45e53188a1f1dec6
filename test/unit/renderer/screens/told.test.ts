import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../../electron/contract/index.js';
import { toldOf } from '../../../../renderer/screens/models/told.js';

const problem = (message: string, hint: string | null, path: string | null): Problem => ({
  code: 'bad-input',
  message,
  hint,
  context: { path },
});

describe('what the studio refuses', () => {
  const long = problem(
    'training.maxLength: Starter takes at most 256 tokens.',
    'Use 256 or less.',
    'training.maxLength',
  );

  it('stands at its field, without the key that the label says', () =>
    expect(toldOf(long, 'training', ['maxLength'])).toEqual({
      maxLength: 'Starter takes at most 256 tokens. Use 256 or less.',
    }));

  it('keeps the place in a list of numbers', () => {
    const stages = problem('method.stages.1.blocks is 9, but the model has 4.', null, 'method.stages.1.blocks');
    expect(toldOf(stages, 'method', ['stages'])).toEqual({
      stages: 'method.stages.1.blocks is 9, but the model has 4.',
    });
  });

  it('is left to others where it is about none of the fields', () => {
    expect(toldOf(null, 'training', ['maxLength'])).toEqual({});
    expect(toldOf(long, 'method', ['maxLength'])).toEqual({});
    expect(toldOf(long, 'training', ['epochs'])).toEqual({});
    expect(toldOf(problem('The disk is full.', null, null), 'training', ['maxLength'])).toEqual({});
  });
});
