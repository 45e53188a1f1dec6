/** Texts that registries hold and the window shows by `t`: methods and their options, studies, measures, tasks. */
import { z } from 'zod';
import {
  answerWordsOf,
  appliesTable,
  measureTable,
  objectiveSchema,
  objectiveTable,
  splitNames,
  taskTable,
  trainingSchema,
} from '../../../electron/contract/index.js';
import { listMethods } from '../../../electron/engine/index.js';
import { kinds } from '../../../electron/studio/studies/kinds/index.js';
import { formFields, oneOf, type FormField } from '../../../renderer/state/schema-form.js';

const textsOfField = (field: FormField): string[] => [
  field.title,
  field.description ?? '',
  field.empty ?? '',
  ...(field.kind === 'number' ? field.words : []),
  ...(field.kind === 'choice' ? field.choices : []),
  ...(field.kind === 'rows'
    ? [oneOf(field.title), oneOf(field.title).toLowerCase(), ...field.fields.flatMap(textsOfField)]
    : []),
];
const schemaTexts = (schema: z.ZodType, name: string): [string, string][] =>
  formFields(z.record(z.string(), z.unknown()).parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })))
    .flatMap(textsOfField)
    .map((text) => [name, text]);

/** Each text with the registry it comes from. */
export function registryTexts(): (readonly [from: string, text: string])[] {
  const all: (readonly [string, string])[] = [
    ...listMethods().flatMap(({ type, summary, options }) => [
      [`method ${type}`, summary] as const,
      ...schemaTexts(options, `method ${type}`),
    ]),
    ...schemaTexts(trainingSchema, 'training'),
    ...Object.values(appliesTable).map((condition) => ['training', condition?.when ?? ''] as const),
    ...Object.values(kinds).flatMap(({ title, question }) => [['study', title] as const, ['study', question] as const]),
    ...Object.values(measureTable).flatMap(({ name, difference }) => [
      ['measure', name] as const,
      ['measure', difference] as const,
    ]),
    ...objectiveSchema.options.flatMap((objective) => {
      const { many, difference } = answerWordsOf(objective);
      return [objectiveTable[objective].loss.name, many, difference].map((text) => ['objective', text] as const);
    }),
    ...Object.values(taskTable).map(({ title }) => ['task', title] as const),
    ...splitNames.map((name) => ['split', name] as const),
  ];
  return all.filter(([, text]) => /\p{L}{2}/u.test(text));
}
