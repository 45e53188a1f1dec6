/** How far is each method from full fine-tuning, and may it be called equal? */
import type { ReportFigure } from '../../../contract/entities.js';
import { measureKinds } from '../../../evaluation/index.js';
import { choiceTable, gapTable, gapVerdicts, labelOf, matrixNotes, placeInWords, runTable } from '../cells.js';
import { weigh, type Evidence } from '../evidence.js';
import { checkMatrix, matrixProtocol, matrixSteps, sizesOf } from '../matrix.js';
import type { Asked, StudyKindSpec } from './kind.js';
import { statisticsInWords } from '../statistics.js';

export const quality: StudyKindSpec = {
  kind: 'quality',
  title: 'Quality gap',
  question: 'How far is each method from full fine-tuning, and may it be called equal?',
  leastData: 1,
  shares: true,
  check: checkMatrix,
  steps: (asked, ended) => matrixSteps(asked, ended),
  protocol: (asked) => [...matrixProtocol(asked, measureKinds[asked.measure].name), ...statisticsInWords(asked)],
  async report(context, asked, ended) {
    const evidence = await weigh(context, asked, ended);
    const choices = choiceTable(asked, evidence, ended);
    return {
      verdicts: gapVerdicts(asked, evidence.cells),
      tables: [gapTable(asked, evidence), ...(choices ? [choices] : []), runTable(asked, evidence)],
      figures: forests(asked, evidence),
      notes: matrixNotes(asked, evidence, ended),
    };
  },
};

/** One a place: every method's difference with its interval, and the zone. */
function forests(asked: Asked, evidence: Evidence): ReportFigure[] {
  const kind = measureKinds[evidence.measure];
  return asked.datasets.flatMap((dataset, place) =>
    sizesOf(asked).flatMap((size) => {
      const rows = evidence.cells.flatMap(({ gap, method, ...cell }) =>
        gap && cell.dataset === dataset && cell.size === size
          ? [{ label: labelOf(method), type: method.options.type, mean: gap.mean, interval: gap.interval }]
          : [],
      );
      if (rows.length === 0) return [];
      return [
        {
          kind: 'forest' as const,
          id: `gaps-${place + 1}-${size ?? 'all'}`,
          title: `Difference from full fine-tuning${placeInWords(asked, { dataset, size })}`,
          axis: {
            title: `${kind.name}, ${kind.unit === '%' ? 'percent' : kind.unit}`,
            unit: kind.unit === '%' ? ('percent' as const) : ('points' as const),
            log: false,
          },
          zone: asked.plan.zone,
          rows,
        },
      ];
    }),
  );
}
