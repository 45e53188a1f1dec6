/** Table base_models. */
import { z } from 'zod';
import { baseModelSchema, type BaseModel } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { Sql } from './database.js';

const infoSchema = baseModelSchema.omit({ id: true, name: true, folder: true, builtIn: true, addedAt: true });
const rowSchema = z.object({
  id: z.number(),
  name: z.string(),
  folder: z.string(),
  built_in: z.number(),
  added_at: z.string(),
  info: z.string(),
});

function record(row: unknown): BaseModel {
  const { info, built_in, added_at, ...rest } = rowSchema.parse(row);
  return { ...infoSchema.parse(JSON.parse(info)), ...rest, builtIn: built_in === 1, addedAt: added_at };
}

export async function listModels(sql: Sql): Promise<BaseModel[]> {
  return (await sql.all('SELECT * FROM base_models ORDER BY built_in DESC, id')).map(record);
}

/** Throws StudioError 'not-found'. */
export async function getModel(sql: Sql, id: number): Promise<BaseModel> {
  const [row] = await sql.all('SELECT * FROM base_models WHERE id = ?', [id]);
  if (!row)
    throw new StudioError('not-found', `There is no base model ${id}.`, 'It may have been removed from the list.', {
      id,
    });
  return record(row);
}

export async function insertModel(sql: Sql, model: Omit<BaseModel, 'id'>): Promise<number> {
  const info = JSON.stringify(infoSchema.parse(model));
  return (
    await sql.run('INSERT INTO base_models (name, folder, built_in, added_at, info) VALUES (?, ?, ?, ?, ?)', [
      model.name,
      model.folder,
      model.builtIn ? 1 : 0,
      model.addedAt,
      info,
    ])
  ).lastId;
}

/** The same model at another place or with other facts (the bundled one after an update). */
export async function updateModel(sql: Sql, id: number, model: Omit<BaseModel, 'id'>): Promise<void> {
  await sql.run('UPDATE base_models SET folder = ?, info = ? WHERE id = ?', [
    model.folder,
    JSON.stringify(infoSchema.parse(model)),
    id,
  ]);
}

export async function deleteModel(sql: Sql, id: number): Promise<void> {
  await sql.run('DELETE FROM base_models WHERE id = ?', [id]);
}
