/**
 * The sentences in the person's language. Each language is files of its own: nobody waits for the other one. What is read in front of the
 * vault comes with the page, the rest with what is behind the door.
 */
import { preferences, type Preferences } from '../app/preferences.ts';
import { createStore, useStore } from '../app/store.ts';
import type { Messages } from './en.ts';
import type { EntranceMessages } from './entrance.en.ts';

export type { Messages } from './en.ts';
export type { EntranceMessages } from './entrance.en.ts';

type Language = 'en' | 'de';

/** The language somebody chose, or the first of the browser's that we speak; English when none is. */
export function languageOf(
  { language }: Pick<Preferences, 'language'>,
  wanted: readonly string[] = navigator.languages,
): Language {
  if (language !== 'system') return language;
  const first = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'en' || tag === 'de');
  return first === 'de' ? 'de' : 'en';
}

const entrances: Readonly<Record<Language, () => Promise<EntranceMessages>>> = {
  en: async () => (await import('./entrance.en.ts')).entranceEn,
  de: async () => (await import('./entrance.de.ts')).entranceDe,
};

const languages: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: async () => (await import('./en.ts')).en,
  de: async () => (await import('./de.ts')).de,
};

const atEntrance = createStore<EntranceMessages | null>(null);
const inside = createStore<Messages | null>(null);

/** Shows the language of the preferences; `whole`: all of it, not only what stands in front of the vault. */
async function follow(whole: boolean): Promise<void> {
  const language = languageOf(preferences.get());
  const [entrance, all] = await Promise.all([entrances[language](), whole ? languages[language]() : null]);
  // Somebody may have gone on choosing while it was fetched.
  if (languageOf(preferences.get()) !== language) return;
  atEntrance.set(entrance);
  if (all !== null) inside.set(all);
}

/** Resolves when there is something to read; from then on the language follows the preferences. */
export async function startMessages(): Promise<void> {
  await follow(false);
  // Without a server the former language stays.
  preferences.subscribe(() => void follow(inside.get() !== null).catch(() => undefined));
}

/** Resolves when everything can be read. */
export const fetchAllMessages = async (): Promise<void> => {
  if (inside.get() === null) await follow(true);
};

/** Fetches what somebody may choose next, so that choosing needs no server. */
export const prepareLanguages = (): void => {
  for (const load of [...Object.values(entrances), ...Object.values(languages)]) void load().catch(() => undefined);
};

/** Of pages in front of the vault, and of parts that stand on both sides. Not before `startMessages` has resolved. */
export const useEntranceMessages = (): EntranceMessages => useStore(atEntrance)!;

/** Not before `fetchAllMessages` has resolved. */
export const useMessages = (): Messages => useStore(inside)!;

/** Outside of components, for what happens behind the door. */
export const currentMessages = (): Messages => inside.get()!;

/** Outside of components, anywhere. */
export const currentEntranceMessages = (): EntranceMessages => atEntrance.get()!;

/** Codes that a detail makes clearer: it names a place in a file or a limit, never content. */
const WITH_DETAIL = new Set(['client.invalid-import', 'client.invalid-memory']);

/** Seconds to wait from which on it is said how many. */
const WORTH_SAYING = 50;

/** What to tell a person about an error of the vault. Unknown codes get a plain sentence; raw messages are never shown. */
export function errorText(messages: EntranceMessages, error: unknown): string {
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

/** `errorText` with the sentences that have come so far: in front of the vault those of the entrance. */
export function useErrorText(): (error: unknown) => string {
  const entrance = useStore(atEntrance)!;
  const messages = useStore(inside) ?? entrance;
  return (error) => errorText(messages, error);
}
