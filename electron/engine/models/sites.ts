/** The linear layers of a model, for methods that must know all of them before the first. */
import { frozenBuilder } from './builder.js';
import type { Architecture, Hooks, LinearSite, ModelConfig } from './types.js';

/** Every linear layer that methods may hook into, in the order of the forward pass. */
export function linearSites(architecture: Architecture, config: ModelConfig): readonly LinearSite[] {
  const sites: LinearSite[] = [];
  const hooks: Hooks = {
    input(_b, site, x) {
      sites.push(site);
      return x;
    },
  };
  const b = frozenBuilder(hooks);
  architecture.encode(b, config, 'all');
  return sites;
}
