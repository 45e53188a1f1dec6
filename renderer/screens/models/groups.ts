/** Sorts the studio's parameter groups into embeddings, layers and the rest. */

export interface Group {
  readonly name: string;
  readonly frozen: number;
  readonly trainable: number;
}
export interface Grouped {
  readonly embeddings: Group;
  /** By layer, counted from 0 at the bottom. */
  readonly layers: ReadonlyMap<number, Group>;
  readonly other: Group;
}

const sum = (name: string, groups: readonly Group[]): Group => ({
  name,
  frozen: groups.reduce((total, group) => total + group.frozen, 0),
  trainable: groups.reduce((total, group) => total + group.trainable, 0),
});

/** Names hold a layer's number ("layer 0", "encoder.layer.3", "Layer 1" counted from 1 when no "layer 0" exists). */
export function groupsOf(groups: readonly Group[], layerCount: number): Grouped {
  const numbered = groups.map((group) => ({ group, at: /layer\D{0,3}(\d+)/i.exec(group.name)?.[1] }));
  const withNumber = numbered.flatMap(({ group, at }) => (at === undefined ? [] : [{ group, at: Number(at) }]));
  const base = withNumber.some(({ at }) => at === 0) || !withNumber.some(({ at }) => at === layerCount) ? 0 : 1;
  const layers = new Map<number, Group>();
  for (const { group, at } of withNumber) {
    const known = layers.get(at - base);
    layers.set(at - base, known ? sum(known.name, [known, group]) : group);
  }
  const rest = numbered.filter(({ at }) => at === undefined).map(({ group }) => group);
  const isEmbedding = (group: Group) => /embed/i.test(group.name);
  const isHead = (group: Group) => /head|classif|score/i.test(group.name);
  return {
    embeddings: sum('embeddings', rest.filter(isEmbedding)),
    layers,
    other: sum(
      'other',
      rest.filter((group) => !isEmbedding(group) && !isHead(group)),
    ),
  };
}
