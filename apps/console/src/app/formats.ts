/** Times and numbers in the person's language and time zone. */
import { languageOf } from '../messages/messages.ts';
import { usePreferences } from './preferences.ts';

export interface Formats {
  /** 22 November 2026, 14:05 */
  readonly moment: (time: string | number | Date) => string;
  /** 22 November 2026 */
  readonly day: (time: string | number | Date) => string;
  /** 14:05 */
  readonly clock: (time: string | number | Date) => string;
  /** The two lines of a date in the margin of a list: `22 Nov` and `2025`; the second is empty in the current year. */
  readonly margin: (time: string | number | Date) => readonly [string, string];
  readonly number: (value: number) => string;
  /** Milliseconds in words: 5 minutes, 3 hours, 2 days. */
  readonly span: (milliseconds: number) => string;
}

const cache = new Map<string, Formats>();

function formatsFor(language: 'en' | 'de'): Formats {
  const known = cache.get(language);
  if (known !== undefined) return known;
  // British English: days before months, like the German one.
  const locale = language === 'en' ? 'en-GB' : 'de-DE';
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
  const margin = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const number = new Intl.NumberFormat(locale);
  const formats: Formats = {
    moment: (time) => moment.format(new Date(time)),
    day: (time) => day.format(new Date(time)),
    clock: (time) => clock.format(new Date(time)),
    margin(time) {
      const at = new Date(time);
      const year = at.getFullYear();
      return [margin.format(at), year === new Date().getFullYear() ? '' : String(year)];
    },
    number: (value) => number.format(value),
    span(milliseconds) {
      const [count, unit] = spanOf(milliseconds);
      return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
    },
  };
  cache.set(language, formats);
  return formats;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The largest unit of which there are two at least. */
export function spanOf(milliseconds: number): readonly [count: number, unit: 'minute' | 'hour' | 'day'] {
  if (milliseconds >= 2 * DAY) return [Math.round(milliseconds / DAY), 'day'];
  if (milliseconds >= 2 * HOUR) return [Math.round(milliseconds / HOUR), 'hour'];
  return [Math.round(milliseconds / MINUTE), 'minute'];
}

export const useFormats = (): Formats => formatsFor(languageOf(usePreferences()));
