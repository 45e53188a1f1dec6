/** Advice as the window and the command ask for it: reads the finished studies and their runs. */
import type { Handlers } from '../../contract/calls.js';
import type { Run } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import type { Measure } from '../../contract/measures.js';
import {
  hierarchicalMeans,
  judgeGaps,
  measureKinds,
  sampleOf,
  type ComparedRun,
  type SeedScore,
} from '../../evaluation/index.js';
import { models, runs, studies } from '../../storage/index.js';
import type { Context } from '../context.js';
import { comparedOf, drawSeed } from '../studies/evidence.js';
import { advise, type Compare } from './advise.js';
import { candidatesAt, placesIn, type Candidate, type FinishedStudy } from './evidence.js';

/** Half-width of what counts as equal to the best, as told. */
const zone = 1;

export function adviceCalls(context: Context): Pick<Handlers, 'advice.ask'> {
  const { database } = context;

  async function finished(projectId: number): Promise<FinishedStudy[]> {
    const found: FinishedStudy[] = [];
    for (const { id, name, state } of await studies.listStudies(database, projectId)) {
      const report = state === 'finished' ? await studies.readReport(database, id) : null;
      if (report) found.push({ id, name, report });
    }
    return found;
  }

  return {
    'advice.ask': async ({ projectId, place: key, limits, tasks, withBase, cheapestBy }) => {
      const all = await finished(projectId);
      const places = placesIn(all);
      const place = key === null ? places[0] : places.find((one) => one.key === key);
      const plain = places.map(({ rows: _rows, measure: _measure, ...one }) => one);
      if (!place) {
        if (key !== null)
          throw new StudioError(
            'not-found',
            'No finished study is of this model, data and number of examples any more.',
            'Choose another place.',
          );
        return {
          places: plain,
          place: null,
          measure: null,
          studies: [],
          candidates: [],
          recommended: null,
          verdict:
            'No finished study holds methods against each other yet: run a study of quality, cost or little data.',
          reasons: [],
          missing: [],
          notes: [],
        };
      }
      const existing = new Map((await runs.listRuns(database, projectId)).map((run) => [run.id, run]));
      const { candidates, notes } = candidatesAt(place, all, {
        tasks,
        withBase,
        baseBytes: (await models.listModels(database)).find(({ name }) => name === place.model)?.bytes ?? null,
        fileBytes: (id) => existing.get(id)?.result?.checkpointBytes ?? null,
      });
      const answer = await advise(
        place,
        candidates,
        { limits, cheapestBy },
        pairedBy(context, place.measure, existing),
      );
      const used = new Set(
        answer.candidates.flatMap(({ score, costs }) => [
          score.study,
          ...Object.values(costs).flatMap((fact) => fact?.study ?? []),
        ]),
      );
      return {
        places: plain,
        place: plain.find((one) => one.key === place.key) ?? null,
        measure: place.measure,
        studies: all.flatMap(({ id, name, report: { kind, provenance } }) =>
          used.has(id) ? [{ id, name, kind, device: provenance.machine.device }] : [],
        ),
        ...answer,
        notes: [...notes, ...answer.notes, ...devicesInWords(all.filter(({ id }) => used.has(id)))],
      };
    },
  };
}

function devicesInWords(used: readonly FinishedStudy[]): string[] {
  const devices = [...new Set(used.map(({ report }) => report.provenance.machine.device))];
  const machines = new Set(used.map(({ report }) => report.provenance.machine.processor));
  return devices.length > 1 || machines.size > 1
    ? [
        `The studies ran on several devices (${[...machines].join(', ')}; ${devices.join(', ')}): times and memory of one do not hold on another.`,
      ]
    : [];
}

/** Differences from the best over the test rows of runs of the same seed; all of them one family. */
const pairedBy =
  (context: Context, measure: Measure, existing: ReadonlyMap<number, Run>): Compare =>
  async (best, others) => {
    const compared = async ({ score }: Candidate): Promise<ComparedRun[]> => {
      const found: ComparedRun[] = [];
      for (const id of score.runs) {
        const run = existing.get(id);
        const one = run && (await comparedOf(context, run));
        if (one) found.push(one);
      }
      return found;
    };
    const own = await compared(best);
    const theirs: ComparedRun[][] = [];
    for (const other of others) theirs.push(await compared(other));
    const [first] = own;
    const sample = first ? sampleOf(first, [...own, ...theirs.flat()], measure) : null;
    const lists = theirs.map((list) =>
      list.flatMap((run): SeedScore[] => {
        const same = own.find(({ run: { seed } }) => seed === run.run.seed);
        const [score, baseline] = [sample?.scores.get(run), same && sample?.scores.get(same)];
        return score && baseline ? [{ score, baseline }] : [];
      }),
    );
    const paired = lists.filter((list) => list.length > 0);
    if (!sample || paired.length === 0) return others.map(() => null);
    const kind = measureKinds[measure];
    const baseline = kind.unit === '%' ? `${best.name}'s ${kind.name}` : best.name;
    const means = await hierarchicalMeans(sample.rows, paired, drawSeed);
    const judged = judgeGaps(means, { ...kind, baseline }, zone);
    let next = 0;
    return lists.map((list) => (list.length > 0 ? (judged[next++] ?? null) : null));
  };
