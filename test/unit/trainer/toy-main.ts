/** The trainer process with the toy engine: everything real but the model, so that it can be killed hundreds of times. */
import { connectToHost } from '../../../electron/trainer/port.js';
import { serve } from '../../../electron/trainer/server.js';
import { train } from '../../../electron/trainer/train.js';
import { ToyEngine } from './toy-engine.js';

const unused = async () => {
  throw new Error('The toy trainer only trains.');
};
void serve(
  connectToHost(),
  {
    train: (job, context) => train(job, context, new ToyEngine(), 0),
    test: unused,
    probe: unused,
    predict: unused,
    'predict-file': unused,
    'prove-export': unused,
    generate: unused,
    'merge-check': unused,
    'serve-together': unused,
    profile: unused,
    'virtual-words': unused,
    'score-wording': unused,
    pretrain: unused,
    'device-test': unused,
  },
  (code) => process.exit(code),
);
