/** A base model as the database holds it, for tests that open none. */
export const storedModel = {
  name: 'tiny',
  folder: '/models/tiny',
  architecture: 'bert',
  parameters: 1000,
  layers: 2,
  hiddenSize: 32,
  vocabularySize: 100,
  maxLength: 64,
  bytes: 4000,
  license: 'MIT',
  builtIn: false,
  addedAt: '2026-11-24T21:13:00.000Z',
};
