/** Projects, and what belongs to the open one. */
import type { Project } from '../../electron/contract/index.js';
import { call } from './client.js';
import { recent } from './recent.svelte.js';
import { removals } from './removals.svelte.js';
import { Resource } from './resource.svelte.js';
import { router } from './router.svelte.js';
import { t } from '../language.js';

class Projects extends Resource<readonly Project[]> {
  /** Archived ones are listed only when asked for. */
  archived = new Resource<readonly Project[]>();

  get archivedList(): readonly Project[] {
    return (this.archived.value ?? []).filter(({ id }) => !removals.hidden.has(`project/${id}`));
  }

  /** The last opened first, so that the first is the one to go on with; those never opened after them, newest first. */
  get list(): readonly Project[] {
    return recent.sorted((this.value ?? []).filter(({ id }) => !removals.hidden.has(`project/${id}`)));
  }

  /** The project of the present address, null while it loads or when there is none. */
  get current(): Project | null {
    const id = router.projectId;
    if (id === null) return null;
    return (
      this.list.find((project) => project.id === id) ??
      this.archived.value?.find((project) => project.id === id) ??
      null
    );
  }

  async refresh(): Promise<void> {
    await this.read(() => call('projects.list', { archived: false }));
    await this.archived.read(async () =>
      (await call('projects.list', { archived: true })).filter((project) => project.archivedAt !== null),
    );
    if (this.value && this.archived.value)
      recent.forgetAllBut([...this.value, ...this.archived.value].map(({ id }) => id));
  }

  async create(name: string, description: string): Promise<Project> {
    const project = await call('projects.create', { name, description });
    await this.refresh();
    return project;
  }

  async createSample(sample: string | null): Promise<Project> {
    const project = await call('projects.createSample', { sample });
    await this.refresh();
    return project;
  }

  async update(id: number, change: { name?: string; description?: string; archived?: boolean }): Promise<void> {
    await call('projects.update', { id, ...change });
    await this.refresh();
  }

  async duplicate(id: number, name: string): Promise<Project> {
    const project = await call('projects.duplicate', { id, name });
    await this.refresh();
    return project;
  }

  /** Says what goes, asks, removes; it can be taken back for some seconds. `text` tells it. Returns whether it went. */
  remove(id: number, text: string): Promise<boolean> {
    return removals.ask(() => call('projects.removal', { id }), t('Delete project'), {
      key: `project/${id}`,
      text,
      remove: async () => {
        await call('projects.remove', { id });
        await this.refresh();
      },
    });
  }
}

export const projects = new Projects();
