/** Token ids and segments against transformers' tokenizers, whole and cut. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTokenizer } from '../../electron/data/index.js';
import { oracleFolder, oracleJson } from '../helpers/oracle.js';

const ids = z.array(z.number());
const { cases } = oracleJson(
  z.object({
    cases: z.array(
      z.object({
        model: z.string(),
        maxLength: z.number(),
        rows: z.array(z.object({ text: z.string(), pair: z.string().nullable(), ids, typeIds: ids })),
      }),
    ),
  }),
  'tokens.json',
);

describe.each(cases.map((c) => [`${c.model} at ${c.maxLength}`, c] as const))(
  '%s',
  (_title, { model, maxLength, rows }) => {
    it('gives the ids of transformers', async () => {
      const tokenizer = await openTokenizer(join(oracleFolder, 'models', model));
      const encoded = await tokenizer.encode(rows, maxLength);
      encoded.forEach((row, i) => {
        expect({ text: rows[i]?.text, pair: rows[i]?.pair, ids: Array.from(row.ids) }).toEqual({
          text: rows[i]?.text,
          pair: rows[i]?.pair,
          ids: rows[i]?.ids,
        });
        // DistilBERT and RoBERTa take no segments, whatever the tokenizer says
        expect(Array.from(row.typeIds)).toEqual(model === 'bert' ? rows[i]?.typeIds : rows[i]?.ids.map(() => 0));
      });
    });
  },
);
