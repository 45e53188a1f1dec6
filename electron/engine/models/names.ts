/** Where in a model a parameter sits, told by its name in the checkpoint. */

const inLayer = /\b(?:layers?|blocks?|h)\.(\d+)\./;
const ofEmbeddings = /\b(?:embeddings|embed_tokens|wte|wpe)\b/;

/** Number of the layer that a parameter belongs to, counted from 0 at the bottom; null below and above the layers. */
export function layerOf(name: string): number | null {
  const layer = inLayer.exec(name)?.[1];
  return layer === undefined ? null : Number(layer);
}

/** Does a parameter belong to the embeddings, below the first layer? */
export function isEmbedding(name: string): boolean {
  return layerOf(name) === null && ofEmbeddings.test(name);
}
