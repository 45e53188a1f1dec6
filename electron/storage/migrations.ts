/** Numbered steps from an empty file to today's tables. Each is applied and recorded in one transaction; none is ever changed after a release. */
import { StudioError } from '../contract/errors.js';
import type { Database, Sql } from './database.js';

// AUTOINCREMENT: a number names a folder of files too, so it is never given twice.
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE projects (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, created_at TEXT NOT NULL, archived_at TEXT)`,
    `CREATE TABLE base_models (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, built_in INTEGER NOT NULL, added_at TEXT NOT NULL, info TEXT NOT NULL)`,
    `CREATE TABLE datasets (id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE, name TEXT NOT NULL, ready INTEGER NOT NULL,
       created_at TEXT NOT NULL, request TEXT NOT NULL, summary TEXT NOT NULL)`,
    `CREATE UNIQUE INDEX dataset_names ON datasets (project_id, name)`,
    `CREATE TABLE dataset_rows (id INTEGER PRIMARY KEY AUTOINCREMENT, dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE, split TEXT NOT NULL, position INTEGER NOT NULL,
       line INTEGER NOT NULL, text TEXT NOT NULL, pair TEXT, label TEXT NOT NULL)`,
    // Each index holds the row's id behind its columns: pages of a filter come in order, without sorting a million rows.
    `CREATE INDEX dataset_rows_all ON dataset_rows (dataset_id)`,
    `CREATE INDEX dataset_rows_of_split ON dataset_rows (dataset_id, split)`,
    `CREATE INDEX dataset_rows_of_label ON dataset_rows (dataset_id, label)`,
    `CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE, model_id INTEGER NOT NULL REFERENCES base_models,
       dataset_id INTEGER NOT NULL REFERENCES datasets, plan TEXT NOT NULL, init_folder TEXT, method_name TEXT NOT NULL, setting TEXT NOT NULL, state TEXT NOT NULL,
       step INTEGER NOT NULL, total_steps INTEGER NOT NULL, device TEXT, created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT,
       validation TEXT, result TEXT, problem TEXT)`,
    `CREATE INDEX runs_of_project ON runs (project_id)`,
    `CREATE INDEX runs_of_dataset ON runs (dataset_id)`,
    `CREATE TABLE run_steps (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, loss REAL, learning_rate REAL NOT NULL, gradient_norm REAL,
       tokens_per_second REAL NOT NULL, memory_bytes REAL NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (run_id, step)) WITHOUT ROWID`,
    `CREATE TABLE run_validations (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (run_id, step)) WITHOUT ROWID`,
    `CREATE TABLE run_log (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, time TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL)`,
    `CREATE INDEX run_log_order ON run_log (run_id, id)`,
    `CREATE TABLE checkpoints (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, file TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (run_id, file)) WITHOUT ROWID`,
    `CREATE TABLE test_predictions (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, row_id INTEGER NOT NULL, label INTEGER NOT NULL, predicted INTEGER NOT NULL,
       probabilities TEXT NOT NULL, PRIMARY KEY (run_id, row_id)) WITHOUT ROWID`,
    `CREATE TABLE artefacts (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, format TEXT NOT NULL, folder TEXT NOT NULL, bytes INTEGER NOT NULL,
       created_at TEXT NOT NULL, proof TEXT NOT NULL)`,
    `CREATE TABLE device_reports (id TEXT PRIMARY KEY, report TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL)`,
  ],
  // The process at work on it (presence.ts): what an ended one left is told from what another still does.
  [`ALTER TABLE runs ADD COLUMN worker TEXT`, `ALTER TABLE datasets ADD COLUMN worker TEXT`],
  // What a self-test finds holds for one machine with its runtime and drivers as they are (studio/machine.ts).
  [
    `DROP TABLE device_reports`,
    `CREATE TABLE tested_devices (machine TEXT NOT NULL, id TEXT NOT NULL, report TEXT NOT NULL, PRIMARY KEY (machine, id)) WITHOUT ROWID`,
  ],
  // Stages of a method that trains in several.
  [
    `CREATE TABLE run_stages (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, stage INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (run_id, stage)) WITHOUT ROWID`,
  ],
  // Conversations, and what a language model makes of test rows.
  [
    `ALTER TABLE dataset_rows ADD COLUMN messages TEXT`,
    `CREATE TABLE test_losses (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, row_id INTEGER NOT NULL, loss REAL NOT NULL, tokens INTEGER NOT NULL, exact INTEGER,
       answer TEXT, PRIMARY KEY (run_id, row_id)) WITHOUT ROWID`,
  ],
  // Studies, and the runs that they made by the place of each in the study's plan.
  [
    `CREATE TABLE studies (id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE, name TEXT NOT NULL, plan TEXT NOT NULL,
       state TEXT NOT NULL, progress TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT, problem TEXT, report TEXT, worker TEXT)`,
    `CREATE INDEX studies_of_project ON studies (project_id)`,
    `CREATE TABLE study_runs (study_id INTEGER NOT NULL REFERENCES studies ON DELETE CASCADE, key TEXT NOT NULL, run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
       role TEXT NOT NULL, PRIMARY KEY (study_id, key)) WITHOUT ROWID`,
    `CREATE UNIQUE INDEX study_of_run ON study_runs (run_id)`,
  ],
  // One table of test rows for every objective: JSON that its measures are counted from, and JSON that is only shown.
  [
    `CREATE TABLE test_outcomes (run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, row_id INTEGER NOT NULL, outcome TEXT NOT NULL, details TEXT,
       PRIMARY KEY (run_id, row_id)) WITHOUT ROWID`,
    `INSERT INTO test_outcomes SELECT run_id, row_id, json_object('label', label, 'predicted', predicted), json_object('probabilities', json(probabilities)) FROM test_predictions`,
    `INSERT INTO test_outcomes SELECT run_id, row_id, json_object('loss', loss, 'tokens', tokens, 'exact', CASE exact WHEN 1 THEN json('true') WHEN 0 THEN json('false') END),
       CASE WHEN answer IS NULL THEN NULL ELSE json_object('answer', answer) END FROM test_losses`,
    `DROP TABLE test_predictions`,
    `DROP TABLE test_losses`,
  ],
  // What a study measured of its finished runs.
  [
    `CREATE TABLE study_measurements (study_id INTEGER NOT NULL REFERENCES studies ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
       PRIMARY KEY (study_id, key)) WITHOUT ROWID`,
  ],
  // Where the answers of questions stand in their contexts.
  [`ALTER TABLE dataset_rows ADD COLUMN answers TEXT`],
  // A run that goes on on another device than its plan asks for: the one that was chosen for it, and where each took over.
  [`ALTER TABLE runs ADD COLUMN device_chosen TEXT`, `ALTER TABLE runs ADD COLUMN devices TEXT`],
];

export const schemaVersion = migrations.length;

export async function versionOf(database: Pick<Sql, 'all'>): Promise<number> {
  return Number((await database.all('PRAGMA user_version'))[0]?.['user_version']);
}

/**
 * Brings the database to this version (tests: to an earlier one), all at once or not at all: of two processes that open it together one does, and the
 * other finds it done.
 * @param before what is to be done first, while nobody else may write
 * @throws StudioError 'database' for one that a newer app wrote
 */
export async function migrate(
  database: Database,
  to = schemaVersion,
  before: (version: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const version = await versionOf(database);
  if (version > schemaVersion) {
    throw new StudioError(
      'database',
      `The database was written by a newer PEFT Studio (its version is ${version}, this app knows ${schemaVersion}).`,
      'Install the newer app, or choose another data folder.',
      { version, known: schemaVersion },
    );
  }
  if (version >= to) return;
  await database.transaction(async (sql) => {
    const from = await versionOf(sql);
    if (from >= to) return;
    await before(from);
    for (let next = from; next < to; next++)
      for (const statement of migrations[next] as readonly string[]) await sql.run(statement);
    await sql.run(`PRAGMA user_version = ${to}`);
  });
}
