/** The languages of the window. Texts and reports that leave the app are English. */
import { z } from 'zod';

export const languages = ['en', 'de'] as const;
export const languageSchema = z.enum(languages);
export type Language = z.infer<typeof languageSchema>;

/** Each language by its own name. */
export const languageNames: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

/**
 * The first of the preferred languages that there is, English otherwise.
 * @param preferred language tags, the most wanted first: "de-AT", "en"
 */
export function languageOf(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const language = languageSchema.safeParse(tag.split(/[-_]/)[0]?.toLowerCase());
    if (language.success) return language.data;
  }
  return 'en';
}
