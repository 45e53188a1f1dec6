/** A sequence of tasks: each method goes on from its own run of the task before. What was measured of it is read here too. */
import { z } from 'zod';
import type { Measure } from '../../../contract/measures.js';
import type { Objective } from '../../../contract/objectives.js';
import { outcomeSchemas } from '../../../contract/outcomes.js';
import { taskOf, type RowScore } from '../../../evaluation/index.js';
import { tunedOn } from '../carried.js';
import type { Asked, Measured } from '../kinds/kind.js';
import { cellsAt, sizesOf, type Cell } from '../matrix.js';

/** Tasks in their order; each method goes on from its own cell of the task before. */
export function chainOf(asked: Asked): Cell[][] {
  const [size = null] = sizesOf(asked);
  const chain: Cell[][] = [];
  for (const dataset of asked.datasets) {
    const before = chain.at(-1);
    chain.push(
      cellsAt(asked, dataset, size).map((cell, index) => {
        const from = before?.[index];
        return from ? tunedOn(cell, from) : cell;
      }),
    );
  }
  return chain;
}

/** A cell beside each one before it in its chain, and itself: what it was before. */
export function pairsOf(asked: Asked): { readonly cell: Cell; readonly former: Cell }[] {
  const chain = chainOf(asked);
  if (chain.length < 2) return [];
  return chain.flatMap((cells, place) =>
    cells.flatMap((cell, method) =>
      chain.slice(0, place + 1).flatMap((before) => {
        const former = before[method];
        return former ? [{ cell, former }] : [];
      }),
    ),
  );
}

/** Scores of what a measurement kept, of its first rows; null where it was not taken, or failed. */
export function outcomesOf(
  measured: Measured,
  key: string,
  { objective, measure }: { readonly objective: Objective; readonly measure: Measure },
  most = Infinity,
): RowScore | null {
  const value = measured.get(key);
  const list = Array.isArray(value) ? value : z.object({ outcomes: z.array(z.json()) }).safeParse(value).data?.outcomes;
  if (list === undefined) return null;
  const outcomes = z.array(outcomeSchemas[objective]).parse(list).slice(0, most);
  return outcomes.length === 0 ? null : taskOf(objective).score(outcomes, measure);
}
