/** The starter model: a BERT of about five million parameters. */
import { bertConfig } from '../../trainer/pretrain/architecture.js';

/** config.json. */
export const config = bertConfig({
  vocabulary: 8000,
  hidden: 256,
  layers: 4,
  heads: 4,
  intermediate: 1024,
  maxLength: 256,
});
