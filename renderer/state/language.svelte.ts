/** The window's language: the setting, or the system's. What is shown follows it at once, for texts are read through the state below. */
import { languageOf, languageSchema, type Language, type Settings } from '../../electron/contract/index.js';
import { speak } from '../../electron/language/index.js';
import { english, Tongue, type Catalogue } from '../../electron/language/tongue.js';

const catalogues: {
  readonly [L in Exclude<Language, 'en'>]: () => Promise<{
    readonly default: Catalogue;
    readonly sentences: Catalogue;
  }>;
} = {
  de: () => import('../../electron/language/de/index.js'),
};
/** Where the setting is remembered for the first screen, which is drawn before the studio answers. */
const KEY = 'language';

class LanguageState {
  #tongue = $state.raw(english);
  #wanted: Language = 'en';

  get current(): Language {
    return this.#tongue.language;
  }

  /** Speaks the language that was chosen last. */
  async begin(): Promise<void> {
    speak(() => this.#tongue);
    const last = localStorage.getItem(KEY);
    const known = languageSchema.safeParse(last);
    await this.choose(known.success ? known.data : 'system');
  }

  async choose(setting: Settings['language']): Promise<void> {
    localStorage.setItem(KEY, setting);
    const wanted = setting === 'system' ? languageOf(navigator.languages) : setting;
    this.#wanted = wanted;
    if (wanted === this.current) return this.#take(this.#tongue);
    const tongue = wanted === 'en' ? english : await this.#read(wanted);
    // Another choice may have come meanwhile.
    if (this.#wanted === wanted) this.#take(tongue);
  }

  async #read(wanted: Exclude<Language, 'en'>): Promise<Tongue> {
    const { default: texts, sentences } = await catalogues[wanted]();
    return new Tongue(wanted, texts, sentences);
  }

  #take(tongue: Tongue): void {
    this.#tongue = tongue;
    document.documentElement.lang = tongue.language;
  }
}

export const language = new LanguageState();
