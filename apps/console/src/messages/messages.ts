/** The sentences in the person's language. Each language is a file of its own: nobody waits for the other one. */
import { preferences, type Preferences } from '../app/preferences.ts';
import { createStore, useStore } from '../app/store.ts';
import type { Messages } from './en.ts';

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

const languages: Readonly<Record<'en' | 'de', () => Promise<Messages>>> = {
  en: async () => (await import('./en.ts')).en,
  de: async () => (await import('./de.ts')).de,
};

const shown = createStore<Messages | null>(null);

async function follow(): Promise<void> {
  const language = languageOf(preferences.get());
  const messages = await languages[language]();
  // Somebody may have gone on choosing while it was fetched.
  if (languageOf(preferences.get()) === language) shown.set(messages);
}

/** Resolves when there is something to read; from then on the language follows the preferences. */
export async function startMessages(): Promise<void> {
  await follow();
  // Without a server the former language stays.
  preferences.subscribe(() => void follow().catch(() => undefined));
}

/** Fetches what somebody may choose next, so that choosing needs no server. */
export const prepareLanguages = (): void => {
  for (const load of Object.values(languages)) void load().catch(() => undefined);
};

/** Not before `startMessages` has resolved. */
export const useMessages = (): Messages => useStore(shown)!;

/** Outside of components. */
export const currentMessages = (): Messages => shown.get()!;

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
