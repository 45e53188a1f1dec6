/** Scores in a line, for logs and the command. */
import { intervalOf, measuresOf, objectiveOfScores, type Scores } from './entities.js';
import { measureTable, shownMeasure, type Measure } from './measures.js';
import { objectiveTable } from './objectives.js';

const united = (measure: Measure, text: string) =>
  measureTable[measure].unit === '' ? text : `${text} ${measureTable[measure].unit}`;

/** "macro F1 43.1 %"; null where the rows do not give it. */
function measureInWords(scores: Scores, measure: Measure): string | null {
  const value = scores[measure] ?? null;
  return value === null ? null : `${measureTable[measure].name} ${united(measure, shownMeasure(measure, value))}`;
}

/** The first measure of the objective: "macro F1 43.1 %". */
export function mainInWords(scores: Scores): string {
  const [main] = measuresOf(scores);
  return measureInWords(scores, main) ?? `${measureTable[main].name} undefined`;
}

/** "macro F1 43.1 % (38.9 to 47.0), accuracy 43.8 %, loss 1.4528"; `ends` false leaves the interval out. */
export function scoresInWords(scores: Scores, { ends: withEnds = true } = {}): string {
  const [main, ...others] = measuresOf(scores);
  const ends = withEnds ? intervalOf(scores, main) : null;
  const range = ends ? ` (${shownMeasure(main, ends.low)} to ${shownMeasure(main, ends.high)})` : '';
  const { loss } = objectiveTable[objectiveOfScores(scores)];
  const answered = scores.exactMatchRows ? ` of ${scores.exactMatchRows.toLocaleString('en')} answers` : '';
  return [
    `${mainInWords(scores)}${range}`,
    ...others.flatMap((measure) => {
      const words = measureInWords(scores, measure);
      return words === null ? [] : `${words}${measure === 'exactMatch' ? answered : ''}`;
    }),
    `${loss.name} ${scores.loss.toFixed(4)}`,
  ].join(', ');
}
