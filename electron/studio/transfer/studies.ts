/** Finished studies in a project's file: their reports come back with their runs under new numbers. */
import type { Report } from '../../contract/entities.js';
import { studies, type Sql } from '../../storage/index.js';
import type { StoredStudy } from './format.js';

/** The oldest first. What is not finished has no report; its runs go along as runs of their own. */
export async function storedStudies(sql: Sql, projectId: number): Promise<StoredStudy[]> {
  const stored: StoredStudy[] = [];
  for (const study of (await studies.listStudies(sql, projectId)).reverse()) {
    const report = study.state === 'finished' ? await studies.readReport(sql, study.id) : null;
    if (report) stored.push({ study, report, runs: await studies.runsOfStudy(sql, study.id) });
  }
  return stored;
}

interface Here {
  readonly projectId: number;
  readonly worker: string;
  /** New run numbers by old ones. */
  readonly numbers: ReadonlyMap<number, number>;
  /** Names of base models here, by their names in the file. */
  readonly models: ReadonlyMap<string, string>;
}

export async function restoreStudies(sql: Sql, here: Here, stored: readonly StoredStudy[]): Promise<void> {
  for (const { study, report, runs } of stored) {
    const { name, plan, progress, createdAt, endedAt } = study;
    const id = await studies.insertStudy(sql, {
      projectId: here.projectId,
      name,
      plan: { ...plan, model: here.models.get(plan.model) ?? plan.model },
      progress,
      createdAt,
      worker: here.worker,
    });
    await studies.updateStudy(sql, id, { state: 'finished', endedAt, report: renumbered(report, here.numbers) });
    for (const { runId, ...place } of runs) {
      const known = here.numbers.get(runId);
      if (known !== undefined) await studies.insertStudyRun(sql, id, { ...place, runId: known });
    }
  }
}

/** Runs that are not in the file (they failed, or were deleted) are left out as evidence; notes keep their words, marked. */
function renumbered(report: Report, numbers: ReadonlyMap<number, number>): Report {
  const ids = (list: readonly number[]) => list.flatMap((id) => numbers.get(id) ?? []);
  return {
    ...report,
    verdicts: report.verdicts.map((verdict) => ({ ...verdict, runs: ids(verdict.runs) })),
    tables: report.tables.map((table) => ({
      ...table,
      rows: table.rows.map((row) => ({ ...row, runs: ids(row.runs) })),
    })),
    notes: report.notes.map((note) =>
      note.replace(/\b([Rr]uns? )(\d+(?:, \d+)*)/g, (_, word: string, list: string) => {
        const told = list.split(', ').map((id) => String(numbers.get(Number(id)) ?? `${id} (of before the import)`));
        return `${word}${told.join(', ')}`;
      }),
    ),
    provenance: {
      ...report.provenance,
      runs: report.provenance.runs.flatMap((run) => {
        const id = numbers.get(run.id);
        return id === undefined ? [] : [{ ...run, id }];
      }),
    },
  };
}
