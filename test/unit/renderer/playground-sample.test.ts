import { afterEach, describe, expect, it, vi } from 'vitest';
import { Playground } from '../../../renderer/screens/playground/playground.svelte.js';

afterEach(() => vi.unstubAllGlobals());
const offsets: number[] = [];
function studio(rows: number, onPredict: (input: { runIds?: number[] }) => void = () => undefined): void {
  offsets.length = 0;
  vi.stubGlobal('window', {
    studio: {
      call: async (name: string, input: { offset?: number; text?: string; runIds?: number[] }) => {
        if (name === 'datasets.rows') {
          const offset = input.offset ?? 0;
          offsets.push(offset);
          return {
            ok: true,
            value: {
              total: rows,
              rows:
                rows === 0
                  ? []
                  : [
                      {
                        id: offset + 1,
                        split: 'test',
                        position: offset,
                        text: offset === 3 ? '  ' : `row ${offset}`,
                        pair: null,
                        label: 'x',
                        line: offset + 2,
                      },
                    ],
            },
          };
        }
        onPredict(input);
        return {
          ok: true,
          value: (input.runIds ?? []).map((runId) => ({
            runId,
            title: 'LoRA',
            type: 'lora',
            label: runId === 1 ? 'x' : 'y',
            kind: 'classes',
            probabilities: { x: 0.6, y: 0.4 },
            value: null,
            milliseconds: 1,
            problem: null,
          })),
        };
      },
      on: () => () => undefined,
    },
  });
}

const rows = { id: 1, task: 'classification' } as const;

describe('reading test rows', () => {
  it('reads each row once, keeps label and answers, and leaves empty rows out', async () => {
    studio(6);
    const playground = new Playground();
    expect(await playground.sample(rows, [1, 2], 20)).toBe(5);
    expect(offsets.slice(1).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(playground.history).toHaveLength(5);
    expect(playground.history[0]).toMatchObject({ label: 'x', answers: { 1: 'x', 2: 'y' } });
    expect(playground.sampling).toBeNull();
  });

  it('stops when told to, keeping what was read', async () => {
    const playground = new Playground();
    let asked = 0;
    studio(100, () => {
      if (++asked === 3) playground.stopSampling();
    });
    expect(await playground.sample(rows, [1], 20)).toBe(3);
  });

  it('knows a text as the test row only while it stands unchanged', async () => {
    studio(1);
    const playground = new Playground();
    expect(await playground.takeTestRow(rows)).toBe(true);
    expect(playground.known?.label).toBe('x');
    playground.text += '!';
    expect(playground.known).toBeNull();
    studio(0);
    expect(await playground.takeTestRow(rows)).toBe(false);
  });
});

describe('reading a text', () => {
  it('asks the readers first, then the other seeds, which are not kept in the history', async () => {
    const asked: (number[] | undefined)[] = [];
    studio(1, (input) => asked.push(input.runIds));
    const playground = new Playground();
    playground.text = 'a text';
    await playground.read([1, 2], false, [3]);
    expect(asked).toEqual([[1, 2], [3]]);
    expect(playground.predictions.map(({ runId }) => runId)).toEqual([1, 2]);
    expect(playground.others.map(({ runId }) => runId)).toEqual([3]);
    expect(playground.history).toHaveLength(1);
    expect(Object.keys(playground.history[0]?.answers ?? {})).toEqual(['1', '2']);
  });
});
