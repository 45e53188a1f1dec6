import { afterEach, describe, expect, it } from 'vitest';
import { duration, number, plain, scientific, when } from '../../../electron/charting/format.js';
import { languageOf } from '../../../electron/contract/index.js';
import { n, said, speak, t } from '../../../electron/language/index.js';
import { english, Tongue } from '../../../electron/language/tongue.js';

const german = new Tongue(
  'de',
  {
    'Step {step}': 'Schritt {step}',
    '{count} runs': { one: '{count} Lauf', other: '{count} Läufe' },
    'Measure¦noun': 'Maß',
    Measure: 'Messen',
  },
  {
    '{name} needs {size}.': '{name} braucht {size}.',
    '{name} needs {size} of memory.': '{name} braucht {size} Speicher.',
    '{count} points': '{count} Punkte',
  },
);
afterEach(() => speak(() => english));

describe('texts', () => {
  it('are English until a language is spoken', () => {
    expect(t('Step {step}', { step: 3 })).toBe('Step 3');
    expect(n(1, '{count} run', '{count} runs')).toBe('1 run');
    expect(n(1200, '{count} run', '{count} runs')).toBe('1,200 runs');
    expect(t('Measure¦noun')).toBe('Measure');
    expect(said('Anything at all.')).toBe('Anything at all.');
  });
  it('follow the language, with its plurals and numbers', () => {
    speak(() => german);
    expect(t('Step {step}', { step: 3 })).toBe('Schritt 3');
    expect(n(1, '{count} run', '{count} runs')).toBe('1 Lauf');
    expect(n(1200, '{count} run', '{count} runs')).toBe('1.200 Läufe');
    expect([t('Measure'), t('Measure¦noun')]).toEqual(['Messen', 'Maß']);
  });
  it('stay English where the language lacks them, and keep places without a value', () => {
    speak(() => german);
    expect(t('Constructor')).toBe('Constructor');
    expect(t('constructor')).toBe('constructor');
    expect(t('Put {text} once.', { text: '{text}' })).toBe('Put {text} once.');
  });
});

describe('sentences of the studio', () => {
  it('are known by their words, the most exact first, and their values are told in the language', () => {
    speak(() => german);
    expect(said('LoRA needs 2.5 of memory.')).toBe('LoRA braucht 2,5 Speicher.');
    expect(said('LoRA needs 1,200 points.')).toBe('LoRA braucht 1.200 Punkte.');
    expect(said('Something else.')).toBe('Something else.');
  });
  it('takes signs of a pattern as they are', () => {
    const tongue = new Tongue('de', {}, { 'Is {it} (really) so?': 'Ist {it} (wirklich) so?' });
    expect(tongue.said('Is a.b (really) so?')).toBe('Ist a.b (wirklich) so?');
    expect(tongue.said('Is a really so')).toBe('Is a really so');
  });
});

it('numbers, times and dates are written in the language', () => {
  const then = new Date(2026, 2, 5, 9, 7).toISOString();
  const now = new Date(2026, 2, 20);
  const written = () => [number(-1234.56, 1), scientific(0.00021), plain(0.0003), duration(4), when(then, now)];
  expect(written()).toEqual(['\u22121,234.6', '2.1 \u00d7 10\u207b\u2074', '0.0003', '4.0 s', '5 Mar 2026']);
  speak(() => german);
  expect(written()).toEqual(['\u22121.234,6', '2,1 \u00d7 10\u207b\u2074', '0,0003', '4,0 s', '5. März 2026']);
});

it('the language is the first of the preferred ones that there is', () => {
  expect(languageOf(['de-AT', 'en'])).toBe('de');
  expect(languageOf(['fr-FR', 'de'])).toBe('de');
  expect(languageOf(['pt_BR'])).toBe('en');
  expect(languageOf([])).toBe('en');
});
