/** Parquet by hyparquet: a range of rows at a time, so that memory stays at one row group's column chunks. */
import { type FileHandle, open } from 'node:fs/promises';
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { z } from 'zod';
import { StudioError } from '../../contract/errors.js';
import { fileError, throwIfCancelled } from '../decode.js';
import type { ReadRow } from '../types.js';
import { rowFromObject } from './json-values.js';
import type { Reader } from './reader.js';

const rowsPerRange = 8192;
/** Compressed bytes of one row group's text columns that are read at once. */
const groupLimit = 1 << 30;

export const parquetReader: Reader = {
  formats: ['parquet'],
  async *batches(path, reading, hooks) {
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw fileError(path, error);
    });
    try {
      const file = bufferOf(handle, reading.bytes);
      const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
        throw damaged(path, error);
      });
      const largest = metadata.row_groups.reduce(
        (most, group) =>
          Math.max(most, ...group.columns.map((column) => Number(column.meta_data?.total_compressed_size ?? 0))),
        0,
      );
      if (largest > groupLimit)
        throw new StudioError(
          'bad-file',
          `${path} has a row group whose column takes ${Math.round(largest / 2 ** 20)} MiB; the limit is ${groupLimit / 2 ** 20} MiB.`,
          'Write it again with smaller row groups.',
          { path },
        );
      const total = Number(metadata.num_rows);
      const binary = new Set(
        parquetSchema(metadata)
          .children.filter((column) => column.element.type === 'FIXED_LEN_BYTE_ARRAY')
          .map((column) => column.element.name),
      );
      let groupStart = 0;
      for (const group of metadata.row_groups) {
        const groupEnd = groupStart + Number(group.num_rows);
        for (let start = groupStart; start < groupEnd; start += rowsPerRange) {
          throwIfCancelled(hooks.signal);
          const end = Math.min(start + rowsPerRange, groupEnd);
          const rows = await parquetReadObjects({
            file,
            metadata,
            rowStart: start,
            rowEnd: end,
            compressors,
            useOffsetIndex: true,
          }).catch((error: unknown) => {
            throw damaged(path, error);
          });
          yield rowsFrom(start, rows, binary);
          hooks.onBytes?.(Math.round((reading.bytes * end) / Math.max(1, total)));
        }
        groupStart = groupEnd;
      }
    } finally {
      await handle.close();
    }
  },
};

const featuresSchema = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) });
const namesSchema = z.object({ names: z.array(z.string()).min(1) });

/** Names of numbered classes by column, where the file was written by Hugging Face's datasets, which leave them in its metadata. */
export async function classNames(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw fileError(path, error);
  });
  try {
    const metadata = await parquetMetadataAsync(bufferOf(handle, (await handle.stat()).size));
    const text = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
    const features = featuresSchema.safeParse(text === undefined ? null : JSON.parse(text)).data?.info.features ?? {};
    return new Map(
      Object.entries(features).flatMap(([column, feature]) => {
        const inner = z.object({ feature: namesSchema }).safeParse(feature).data?.feature;
        const names = inner ?? namesSchema.safeParse(feature).data;
        return names ? [[column, names.names] as const] : [];
      }),
    );
  } catch {
    return new Map(); // Metadata of another program under the same key: the names are simply not known.
  } finally {
    await handle.close();
  }
}

/** @param start the rows before these */
function* rowsFrom(
  start: number,
  rows: readonly Record<string, unknown>[],
  binary: ReadonlySet<string>,
): Generator<ReadRow> {
  for (const [index, row] of rows.entries()) yield rowFromObject(start + index + 1, readable(row, binary));
}

/** Dates as ISO text, bytes left out: they are no text. */
function readable(row: Record<string, unknown>, binary: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      binary.has(name) || value instanceof Uint8Array ? undefined : value instanceof Date ? value.toISOString() : value,
    ]),
  );
}

function bufferOf(handle: FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start: number, end = byteLength) {
      const from = start < 0 ? byteLength + start : start;
      const bytes = new ArrayBuffer(Math.max(0, Math.min(end, byteLength) - from));
      let filled = 0;
      while (filled < bytes.byteLength) {
        const { bytesRead } = await handle.read(
          new Uint8Array(bytes, filled),
          0,
          bytes.byteLength - filled,
          from + filled,
        );
        if (bytesRead === 0) throw new RangeError('the file ends early');
        filled += bytesRead;
      }
      return bytes;
    },
  };
}

const damaged = (path: string, error: unknown) =>
  new StudioError(
    'bad-file',
    `${path} is no readable Parquet file: ${error instanceof Error ? error.message : String(error)}.`,
    'Write it again; it may be cut off, damaged or encrypted.',
    { path },
    { cause: error },
  );
