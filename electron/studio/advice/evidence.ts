/** What the reports of finished studies say of each method at one place: its score there, and what it costs. */
import type { AdviceCandidate, AdviceCost, AdvicePlace, Report, ReportTable, Study } from '../../contract/entities.js';
import { measures, measureTable, type Measure } from '../../contract/measures.js';

export interface FinishedStudy extends Pick<Study, 'id' | 'name'> {
  readonly report: Report;
}

type Row = ReportTable['rows'][number];
type Told = AdviceCandidate['score'];

/** A place, with the rows of the reports that hold methods against each other there. */
export interface Place extends AdvicePlace {
  readonly measure: Measure;
  /** The newest study first; a method's first row counts. */
  readonly rows: readonly PlacedRow[];
}

interface PlacedRow {
  readonly study: FinishedStudy;
  readonly row: Row;
  readonly model: string;
  readonly modelKey: string;
  readonly data: string;
  readonly dataKey: string;
  readonly size: number | null;
  /** Equal for rows whose runs were trained alike. */
  readonly training: string;
}

/** A method at a place, before any limit. */
export type Candidate = Pick<AdviceCandidate, 'label' | 'type' | 'score' | 'difference' | 'costs'> & {
  /** The label without its setting, where no other method here has the same. */
  readonly name: string;
  /** Milliseconds a text merged into its base; null where that was not measured. */
  readonly mergedLatency: number | null;
  /** Costs that were measured with other training settings or another number of examples. */
  readonly elsewhere: readonly AdviceCost[];
};

const tableOf = ({ tables }: Report, id: string) => tables.find((table) => table.id === id);

/** Rows of a table that have a method and a place. */
function placed(study: FinishedStudy, table: string): PlacedRow[] {
  const { provenance } = study.report;
  const { study: plan, model } = provenance;
  return (tableOf(study.report, table)?.rows ?? []).flatMap((row) => {
    const name = row.cells['data'] ?? plan.data[0];
    const data = provenance.data.find((one) => one.name === name);
    const size = row.cells['size'] ?? plan.examplesPerClass[0] ?? 'all';
    if (!data || row.method === null) return [];
    return [
      {
        study,
        row,
        model: model.name,
        modelKey: model.contentHash ?? model.name,
        data: data.name,
        dataKey: data.contentHash,
        size: size === 'all' ? null : Number(size),
        training: JSON.stringify([plan.training, plan.learningRates]),
      },
    ];
  });
}

/** The measure of a table of scores, by its head: "Test macro F1". */
function measureOf({ report }: FinishedStudy): Measure | null {
  const title = tableOf(report, 'gaps')?.columns.find(({ key }) => key === 'score')?.title;
  return measures.find((measure) => `Test ${measureTable[measure].name}` === title) ?? null;
}

/** All places that finished studies hold methods against each other at, the newest study's first, of one study the largest size first. */
export function placesIn(studies: readonly FinishedStudy[]): Place[] {
  const places = new Map<string, { measure: Measure; rows: PlacedRow[] }>();
  for (const study of [...studies].sort((a, b) => b.id - a.id)) {
    const measure = measureOf(study);
    if (measure === null) continue;
    const rows = placed(study, 'gaps').sort((a, b) => (b.size ?? Infinity) - (a.size ?? Infinity));
    for (const row of rows) {
      const key = JSON.stringify([row.modelKey, row.dataKey, row.size, measure, row.training]);
      const place = places.get(key) ?? { measure, rows: [] };
      places.set(key, { measure, rows: [...place.rows, row] });
    }
  }
  const all = [...places].flatMap(([key, { measure, rows }]) => {
    const [first] = rows;
    if (!first) return [];
    const { model, data, size } = first;
    const examples = size === null ? '' : `, ${size} ${size === 1 ? 'example' : 'examples'} a class`;
    return [
      { key, measure, rows, first, model, data, examplesPerClass: size, label: `${model} on ${data}${examples}` },
    ];
  });
  // Places that differ in training alone are told apart by their newest study.
  return all.map(({ first, ...place }) => ({
    ...place,
    label:
      all.filter(({ label }) => label === place.label).length > 1
        ? `${place.label}, as in study ${first.study.id}`
        : place.label,
  }));
}

const number = (row: Row, key: string): number | null => {
  const cell = row.cells[key];
  return typeof cell === 'number' ? cell : null;
};
const measured = (row: Row, key: string) => {
  const cell = row.cells[key];
  return typeof cell === 'object' && cell !== null ? cell : null;
};
const labelOf = ({ cells }: Row): string => String(cells['method']);

/** Where each cost stands in the reports; disk is worked out from the file. */
const columns = {
  memory: ['costs', 'memory'],
  step: ['costs', 'step'],
  training: ['costs', 'training'],
  latency: ['merged', 'before'],
} as const satisfies Partial<Record<AdviceCost, readonly [string, string]>>;

export interface Storage {
  readonly tasks: number;
  readonly withBase: boolean;
  /** Bytes of the place's base; null where it is gone. */
  readonly baseBytes: number | null;
  /** Bytes of what a run trained, as the studio keeps it; null for a run that is gone. */
  fileBytes(run: number): number | null;
}

/** Every method at the place. Methods of one label are left out: nothing in a report tells them apart. */
export function candidatesAt(
  place: Place,
  studies: readonly FinishedStudy[],
  storage: Storage,
): { readonly candidates: Candidate[]; readonly notes: string[] } {
  const twice = new Set(
    place.rows.flatMap(({ study, row }) =>
      place.rows.filter((other) => other.study === study && labelOf(other.row) === labelOf(row)).length > 1
        ? [labelOf(row)]
        : [],
    ),
  );
  const newest = [...studies].sort((a, b) => b.id - a.id);
  const seen = new Set<string>(twice);
  const candidates = place.rows.flatMap(({ study, row }): Candidate[] => {
    const [label, score] = [labelOf(row), measured(row, 'score')];
    if (seen.has(label) || score === null) return [];
    seen.add(label);
    const gap = measured(row, 'difference');
    const told: Told = { ...score, seeds: number(row, 'seeds') ?? row.runs.length, study: study.id, runs: row.runs };
    const found = Object.entries(columns).map(([cost, [table, key]]) => ({
      cost,
      fact: costIn(newest, place, label, (row) => number(row, key), table),
    }));
    const fact = (wanted: AdviceCost) => found.find(({ cost }) => cost === wanted)?.fact ?? null;
    const merged = costIn(newest, place, label, (one) => number(one, 'merged'), 'merged');
    const plain = (wanted: AdviceCost) => {
      const one = fact(wanted);
      return one && { value: one.value, study: one.study, runs: one.runs };
    };
    return [
      {
        label,
        name: label,
        type: row.method ?? '',
        score: told,
        difference: gap && { ...gap, text: String(row.cells['verdict'] ?? '') },
        costs: {
          memory: plain('memory'),
          disk: diskOf(row, study, storage),
          latency: plain('latency'),
          step: plain('step'),
          training: plain('training'),
        },
        mergedLatency: merged?.value ?? null,
        elsewhere: (Object.keys(columns) as (keyof typeof columns)[]).filter((cost) => fact(cost)?.elsewhere === true),
      },
    ];
  });
  const nameOf = ({ label }: Pick<Candidate, 'label'>) => label.split(', ')[0] ?? label;
  return {
    candidates: candidates.map((one) => ({
      ...one,
      name: candidates.filter((other) => nameOf(other) === nameOf(one)).length > 1 ? one.label : nameOf(one),
    })),
    notes: [...twice].map((label) => `Several methods are called ${label}, and the reports do not tell them apart.`),
  };
}

/** Of the newest study that measured it on this model and data, before others one that trained as at this place. */
function costIn(
  newest: readonly FinishedStudy[],
  place: Place,
  label: string,
  value: (row: Row) => number | null,
  table: string,
) {
  const [first] = place.rows;
  if (!first) return null;
  const found = newest
    .flatMap((study) => placed(study, table))
    .filter(({ row, modelKey, dataKey }) => {
      return labelOf(row) === label && modelKey === first.modelKey && dataKey === first.dataKey && value(row) !== null;
    });
  const same = found.find(({ training, size }) => training === first.training && size === first.size);
  const chosen = same ?? found[0];
  const number = chosen && value(chosen.row);
  if (!chosen || number === null || number === undefined) return null;
  return { value: number, study: chosen.study.id, runs: chosen.row.runs, elsewhere: same === undefined };
}

/** The trained file of each task, and the base where it counts; full fine-tuning needs none. */
function diskOf(row: Row, study: FinishedStudy, { tasks, withBase, baseBytes, fileBytes }: Storage) {
  const sizes = row.runs.flatMap((run) => fileBytes(run) ?? []);
  const stored = tableOf(study.report, 'storage')?.rows.find((one) => labelOf(one) === labelOf(row));
  const file = sizes.length > 0 ? Math.max(...sizes) : stored ? number(stored, 'file') : null;
  const base = withBase && row.method !== 'full' ? baseBytes : 0;
  return file === null || base === null ? null : { value: base + tasks * file, study: study.id, runs: row.runs };
}
