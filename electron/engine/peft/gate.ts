/** Gates of UniPELT (Mao et al. 2022, arXiv:2110.07577): how far each part of a hybrid acts on a text. */
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';
import { textMeans } from '../models/rows.js';

/**
 * σ(w·x + b), averaged over the tokens of each text: x [rows, width] to [batch, 1]. `module` names the gate.
 * AdapterHub and the authors' code average over padding too, so that an answer there changes with the longest text of its batch;
 * here it is what they give a text by itself.
 */
export function textGate(b: Builder, module: string, x: Value): Value {
  const width = x.type.shape[1] as number;
  const weight = b.added(`${module}.weight`, [1, width], { normal: 0.02 });
  const score = b.g.add(b.g.matmul(x, weight, { transB: true }), b.added(`${module}.bias`, [1], 'zeros'));
  return textMeans(b, b.g.sigmoid(score));
}
