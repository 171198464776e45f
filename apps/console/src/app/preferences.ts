/** How somebody likes the console to be. The only thing in `localStorage`: no name, no text, no key. */
import { createStore, useStore } from './store.ts';

export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark';
  readonly language: 'system' | 'en' | 'de';
  /** Minutes without a sign of life until the vault locks itself. */
  readonly lockAfter: 5 | 10 | 30 | 60;
  /** Single letters as shortcuts; WCAG 2.1.4 wants a way to turn them off. */
  readonly letterKeys: boolean;
}

const KEY = 'strongroom.preferences';
const DEFAULTS: Preferences = { theme: 'system', language: 'system', lockAfter: 10, letterKeys: true };

export const LOCK_CHOICES = [5, 10, 30, 60] as const;

/** What is kept may be damaged or of another version: unknown values become the default. */
export function readPreferences(kept: string | null): Preferences {
  let found: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(kept ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) found = parsed;
  } catch {
    return DEFAULTS;
  }
  const { theme, language, lockAfter, letterKeys } = found;
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : DEFAULTS.theme,
    language: language === 'en' || language === 'de' ? language : DEFAULTS.language,
    lockAfter: LOCK_CHOICES.find((minutes) => minutes === lockAfter) ?? DEFAULTS.lockAfter,
    letterKeys: typeof letterKeys === 'boolean' ? letterKeys : DEFAULTS.letterKeys,
  };
}

function load(): Preferences {
  try {
    return readPreferences(localStorage.getItem(KEY));
  } catch {
    // Storage is blocked; the choice lasts as long as the page.
    return DEFAULTS;
  }
}

export const preferences = createStore<Preferences>(load());

export const usePreferences = (): Preferences => useStore(preferences);

export function setPreferences(change: Partial<Preferences>): void {
  const next = { ...preferences.get(), ...change };
  preferences.set(next);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // As above.
  }
}

/** Shows theme and language on the document, now and whenever they change. */
export function applyPreferences(languageOf: (preference: Preferences) => string): void {
  const apply = (): void => {
    const chosen = preferences.get();
    const root = document.documentElement;
    if (chosen.theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = chosen.theme;
    root.lang = languageOf(chosen);
  };
  preferences.subscribe(apply);
  apply();
}
