/** Which paths the window may name. A page that was taken over must not read or write files the user never pointed at. */
import path from 'node:path';
import { StudioError } from '../contract/errors.js';
import type { CallName, CallRequest } from '../contract/calls.js';

type Scope = 'file' | 'folder';
type PathReaders = { readonly [N in CallName]?: (request: CallRequest<N>) => readonly string[] };

const strings = (...values: readonly unknown[]) => values.filter((value) => typeof value === 'string');
/** A base model is a name or a folder; only a folder needs a grant. */
const folders = (...models: readonly string[]) =>
  models.filter((model) => path.isAbsolute(model) || model.startsWith('.') || model.startsWith('~'));

/** Adapters that a method is made of: runs, or folders. */
const ofMethod = ({ adapters }: Readonly<Record<string, unknown>>) =>
  Array.isArray(adapters) ? strings(...(adapters as unknown[])) : [];

type Named = Pick<CallRequest<'runs.estimate'>['plan'], 'model' | 'composition' | 'watch'>;

/** Folders and files of what trains: its base model, adapters that it is made of, and the general text that it watches. */
const ofTraining = ({ model, composition, watch }: Named, ...methods: readonly Readonly<Record<string, unknown>>[]) => [
  ...folders(model),
  ...methods.flatMap(ofMethod),
  ...strings(...(composition?.parts ?? []).map(({ from }) => from)),
  ...strings(watch?.text),
];

const ofPlan = (plan: CallRequest<'runs.estimate'>['plan']) => ofTraining(plan, plan.method);

const ofStudy = ({ model, methods, generalText }: CallRequest<'studies.check'>['study']) => [
  ...folders(model),
  ...methods.flatMap(ofMethod),
  ...strings(generalText),
];

const ofComposition = ({ parts, head, top }: CallRequest<'compositions.check'>) => [
  ...strings(head, ...parts.map(({ from }) => from)),
  ...ofMethod(top ?? {}),
];

/** Calls that carry paths, and where. A new call with a path belongs here. */
const pathsOf: PathReaders = {
  'projects.export': (request) => [request.path],
  'projects.import': (request) => [request.path],
  'models.inspect': (request) => [request.folder],
  'models.add': (request) => [request.folder],
  'models.pretrain': (request) => [...request.texts, request.folder],
  'files.write': (request) => [request.path],
  'datasets.inspect': (request) => [request.path],
  'datasets.import': (request) => [request.path, ...strings(request.validation, request.test)],
  'datasets.tokens': ({ source }) => ('path' in source ? [source.path] : []),
  'models.count': ({ method }) => ofMethod(method),
  'models.map': ({ method }) => ofMethod(method),
  'runs.estimate': ({ plan }) => ofPlan(plan),
  'runs.start': (request) => [...request.plans.flatMap(ofPlan), ...strings(request.initFolder)],
  'runs.startMatrix': ({ matrix }) => ofTraining(matrix, ...matrix.methods, ...(matrix.method ? [matrix.method] : [])),
  'refinements.check': ({ method }) => ofMethod(method),
  'studies.check': ({ study }) => ofStudy(study),
  'studies.start': ({ study }) => ofStudy(study),
  'studies.exportReport': (request) => [request.path],
  'compositions.check': ofComposition,
  'compositions.start': ofComposition,
  'playground.predictFile': (request) => [request.path, ...strings(request.out)],
  'exports.start': (request) => [request.folder],
  'plans.read': (request) => [request.path],
  'further.check': ({ from }) => ('plan' in from ? ofPlan(from.plan) : []),
  'further.write': ({ from, folder }) => [folder, ...('plan' in from ? ofPlan(from.plan) : [])],
  'further.back': (request) => [request.folder],
};

export class Grants {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #shown = new Set<string>();

  /** `fold` makes paths comparable on file systems that ignore case. */
  constructor(
    private readonly fold: (file: string) => string = process.platform === 'linux'
      ? (file) => file
      : (file) => file.toLowerCase(),
  ) {}

  /** The user chose this path: a folder opens everything below it, a file only itself. */
  grant(chosen: string, scope: Scope): void {
    (scope === 'folder' ? this.#folders : this.#files).add(this.#key(chosen));
  }

  /** The studio itself named this path to the window: it may be shown in the file manager, nothing else. */
  grantShow(named: string): void {
    this.#shown.add(this.#key(named));
  }

  allows(file: string): boolean {
    const key = this.#key(file);
    if (!path.isAbsolute(file) || file.includes('\0')) return false;
    return this.#files.has(key) || [...this.#folders].some((folder) => isInside(key, folder));
  }

  /** @throws StudioError `no-access` when the path was neither granted nor named by the studio */
  checkShow(file: string): void {
    const key = this.#key(file);
    if (!this.allows(file) && ![...this.#shown].some((named) => isInside(key, named))) throw refusal(file);
  }

  /** @throws StudioError `no-access` when a path in the request did not come from the user */
  check<N extends CallName>(name: N, request: CallRequest<N>): void {
    const read: ((request: CallRequest<N>) => readonly string[]) | undefined = pathsOf[name];
    for (const file of read?.(request) ?? []) if (!this.allows(file)) throw refusal(file);
  }

  #key(file: string): string {
    return this.fold(path.resolve(file));
  }
}

const isInside = (file: string, folder: string) =>
  file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
const refusal = (file: string) =>
  new StudioError(
    'no-access',
    `${file} was not chosen in this window.`,
    'Choose it with the button beside the field; the window may use only what you point at.',
    { path: file },
  );
