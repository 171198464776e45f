import { usePreferences, preferences, type Preferences } from '../app/preferences.ts';
import { de } from './de.ts';
import { en, type Messages } from './en.ts';

export type { Messages } from './en.ts';

/** The language somebody chose, or the first of the browser's that we speak; English when none is. */
export function languageOf(
  { language }: Pick<Preferences, 'language'>,
  wanted: readonly string[] = navigator.languages,
): 'en' | 'de' {
  if (language !== 'system') return language;
  const first = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'en' || tag === 'de');
  return first === 'de' ? 'de' : 'en';
}

const messagesOf = (chosen: Preferences): Messages => (languageOf(chosen) === 'de' ? de : en);

export const useMessages = (): Messages => messagesOf(usePreferences());

/** Outside of components. */
export const currentMessages = (): Messages => messagesOf(preferences.get());

/** Codes that a detail makes clearer: it names a place in a file or a limit, never content. */
const WITH_DETAIL = new Set(['client.invalid-import', 'client.invalid-memory']);

/** Seconds to wait from which on it is said how many. */
const WORTH_SAYING = 50;

/** What to tell a person about an error of the vault. Unknown codes get a plain sentence; raw messages are never shown. */
export function errorText(messages: Messages, error: unknown): string {
  const { code, detail, retryAfter } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    detail?: unknown;
    retryAfter?: unknown;
  };
  if (code === 'pipeline.limited' && typeof retryAfter === 'number' && retryAfter > WORTH_SAYING)
    return messages.errors.limitedFor(Math.ceil(retryAfter / 60));
  const known =
    typeof code === 'string' && Object.hasOwn(messages.errors.codes, code) ? messages.errors.codes[code] : undefined;
  if (known === undefined) return messages.errors.unexpected;
  return WITH_DETAIL.has(String(code)) && typeof detail === 'string' ? `${known} (${detail})` : known;
}
