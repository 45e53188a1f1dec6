import { describe, expect, it } from 'vitest';
import type { GapDecision } from '../../../electron/evaluation/index.js';
import { crossingInWords, crossingOf } from '../../../electron/studio/studies/crossing.js';
import { ratioVerdict } from '../../../electron/studio/studies/kinds/cost.js';
import { judgeRatios } from '../../../electron/evaluation/index.js';
import { uniforms } from '../../helpers/tiny-model.js';

const sized = (...decisions: GapDecision[]) =>
  decisions.map((decision, index) => ({
    size: index === decisions.length - 1 ? 'all' : String(8 * 2 ** index),
    decision,
  }));

describe('where full fine-tuning gets ahead', () => {
  it.each([
    [sized('better', 'undecided', 'worse', 'worse'), '32', [], ['8'], []],
    [sized('worse', 'undecided', 'worse'), 'all', ['8'], [], []],
    [sized('worse', 'worse', 'worse'), '8', [], [], []],
    [sized('worse', 'equal'), null, ['8'], [], ['all']],
    [sized('better', 'better'), null, [], ['8', 'all'], []],
  ])('%j', (decisions, from, between, ahead, equal) => {
    expect(crossingOf(decisions)).toEqual({
      fullAheadFrom: from,
      fullAheadBetween: between,
      methodAheadAt: ahead,
      equalAt: equal,
    });
  });

  it('says in words what the differences show: 500 random curves', () => {
    const choices: GapDecision[] = ['better', 'worse', 'equal', 'undecided'];
    const kinds = new Set<string>();
    for (let trial = 1; trial <= 500; trial += 1) {
      const next = uniforms(trial);
      const decisions = sized(
        ...Array.from({ length: 2 + Math.floor(next() * 4) }, () => choices[Math.floor(next() * 4)] ?? 'equal'),
      );
      const verdicts = crossingInWords('LoRA', decisions);
      for (const { kind } of verdicts) kinds.add(kind);
      const has = (decision: GapDecision) => decisions.some((one) => one.decision === decision);
      const of = (kind: string) => verdicts.filter((verdict) => verdict.kind === kind);
      expect(of('for-peft').length > 0).toBe(has('better'));
      expect(of('equal').length > 0).toBe(has('equal'));
      expect(of('against-peft').length > 0).toBe(has('worse'));
      // "No size was seen" if and only if the largest size does not have it ahead.
      expect(of('undecided').length > 0).toBe(decisions.at(-1)?.decision !== 'worse');
      const from = verdicts.map(({ text }) => /from (\d+) examples a class on/.exec(text)?.[1]).find(Boolean);
      if (from !== undefined) {
        const at = decisions.findIndex(({ size }) => size === from);
        expect(decisions.slice(at).every(({ decision }) => decision === 'worse')).toBe(true);
        expect(decisions[at - 1]?.decision).not.toBe('worse');
      }
      if (verdicts.some(({ text }) => text.includes('at every size tried:')))
        expect(decisions.every(({ decision }) => decision === 'worse')).toBe(true);
    }
    expect([...kinds].sort()).toEqual(['against-peft', 'equal', 'for-peft', 'undecided']);
  });
});

it('a verdict on costs is for or against as its interval lies', () => {
  const [less, more, open, one] = judgeRatios([[0.4, 0.42, 0.41], [1.5, 1.4, 1.6], [0.7, 1.5, 1], [0.5]]).map((ratio) =>
    ratioVerdict('LoRA', 'peak memory', ratio),
  );
  expect([less?.kind, more?.kind, open?.kind, one?.kind]).toEqual(['for-peft', 'against-peft', 'undecided', 'note']);
  expect(less?.text).toMatch(/takes less: 0\.\d+ to 0\.\d+ times full fine-tuning's peak memory \(3 pairs of runs\)/);
});
