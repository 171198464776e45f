/**
 * What the log says about its own retention: which periods hold, what is on hold, and which entries a run removed. All of it stands in entries that are
 * never removed, so a verifier needs nothing else. docs/format/audit.md describes them.
 */
import type { AuditRetention } from '@strongroom/kernel';
import { type EventColumns, KEY_ROTATION, REDACTION } from './entry.ts';

/** Says which entries a run removed, in the same transaction. Only the log itself writes it. */
export const RETENTION_RUN = 'audit.retention-applied';
export const RETENTION_CHANGED = 'audit.retention-changed';
export const HOLD_ADDED = 'audit.hold-added';
export const HOLD_RELEASED = 'audit.hold-released';

/** What vouches for something that is gone, and what a run had to obey, outlives every period. */
export const KEPT_TYPES: readonly string[] = [
  RETENTION_RUN,
  RETENTION_CHANGED,
  HOLD_ADDED,
  HOLD_RELEASED,
  REDACTION,
  KEY_ROTATION,
];

/** Days for which the content of events is kept, by the retention that their type declares. */
export interface RetentionPeriods {
  readonly securityDays: number;
  readonly accessDays: number;
  readonly operationalDays: number;
}

/** Those that hold until the operator sets others. Reasons are in docs/design/audit-log.md. */
export const DEFAULT_PERIODS: RetentionPeriods = { securityDays: 730, accessDays: 365, operationalDays: 90 };

/** Days. Whoever shortens a period without right leaves at least this long to notice the event that says so. */
export const SHORTEST_PERIOD = 7;
/** Days: a century. */
export const LONGEST_PERIOD = 36_525;

export const DAY = 86_400_000;

export const periodFor = (periods: RetentionPeriods, retention: AuditRetention): number =>
  ({ security: periods.securityDays, access: periods.accessDays, operational: periods.operationalDays })[retention];

/** Entries with `from` ≤ index < `to`. */
export interface IndexRange {
  readonly from: number;
  readonly to: number;
}

/** `indices`: ascending, each once. */
export function rangesOf(indices: readonly number[]): IndexRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last?.to === index) last.to += 1;
    else ranges.push({ from: index, to: index + 1 });
  }
  return ranges;
}

/** `0-3,7`: first and last of each range. */
export const formatRanges = (ranges: readonly IndexRange[]): string =>
  ranges.map(({ from, to }) => (to - from === 1 ? String(from) : `${from}-${to - 1}`)).join(',');

const RANGE = /^(0|[1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?$/;

/** Null unless it is what `formatRanges` writes: ascending, apart from each other, at least one. */
export function parseRanges(text: string): IndexRange[] | null {
  const ranges: IndexRange[] = [];
  for (const part of text.split(',')) {
    const [, first, last] = RANGE.exec(part) ?? [];
    if (first === undefined) return null;
    const from = Number(first);
    const to = Number(last ?? first) + 1;
    const isAfter = from > (ranges.at(-1)?.to ?? -1);
    if (!isAfter || (last !== undefined && to - from < 2) || !Number.isSafeInteger(to)) return null;
    ranges.push({ from, to });
  }
  return ranges;
}

export interface RetentionRun {
  readonly ranges: readonly IndexRange[];
  readonly periods: RetentionPeriods;
  /** Ids of the holds it left alone. */
  readonly holds: readonly string[];
}

export const runDetails = ({ ranges, periods, holds }: RetentionRun) => ({
  removed: formatRanges(ranges),
  count: countOf(ranges),
  ...periods,
  holds: holds.join(','),
});

/** Null when the entry does not say all of it, or contradicts itself. */
export function readRun(event: EventColumns): RetentionRun | null {
  const details = detailsOf(event);
  const { removed, count, holds } = details;
  const ranges = typeof removed === 'string' ? parseRanges(removed) : null;
  const periods = readPeriods(event);
  if (ranges === null || periods === null || typeof holds !== 'string' || count !== countOf(ranges)) return null;
  return { ranges, periods, holds: holds === '' ? [] : holds.split(',') };
}

const countOf = (ranges: readonly IndexRange[]): number => ranges.reduce((sum, { from, to }) => sum + to - from, 0);

/** What an entry that changes the periods sets them to, or a run says it applied. */
export function readPeriods(event: EventColumns): RetentionPeriods | null {
  const { securityDays, accessDays, operationalDays } = detailsOf(event);
  if (!isPeriod(securityDays) || !isPeriod(accessDays) || !isPeriod(operationalDays)) return null;
  return { securityDays, accessDays, operationalDays };
}

export const isPeriod = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= SHORTEST_PERIOD && Number(value) <= LONGEST_PERIOD;

export const samePeriods = (left: RetentionPeriods, right: RetentionPeriods): boolean =>
  left.securityDays === right.securityDays &&
  left.accessDays === right.accessDays &&
  left.operationalDays === right.operationalDays;

/**
 * Why a hold was added or released: a word, such as the number of a case. It stands in the log for good, which is no place for a sentence about somebody.
 */
export const HOLD_REASON = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/;

/** Events for which every condition that is not null holds are kept until it is released. */
export interface Hold {
  readonly id: string;
  readonly reason: string;
  readonly tenant: string | null;
  /** Pseudonym of the person whom the events are about, or who acted. */
  readonly person: string | null;
  /** RFC 3339: not before. */
  readonly from: string | null;
  /** RFC 3339: before. */
  readonly to: string | null;
  /** Microseconds since the epoch. */
  readonly addedAt: number;
}

/** The hold that an entry of type `HOLD_ADDED` is about. */
export function readHold(event: EventColumns): Hold {
  const { reason, tenant, from, to } = detailsOf(event);
  return {
    id: event.objectId ?? event.eventId,
    reason: textOrNull(reason) ?? '',
    tenant: textOrNull(tenant),
    person: event.subjects[0] ?? null,
    from: textOrNull(from),
    to: textOrNull(to),
    addedAt: event.occurredAt,
  };
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function detailsOf({ details }: EventColumns): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(details);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Periods and holds, as entries in the order of the log establish them. */
export class RetentionRules {
  periods: RetentionPeriods = DEFAULT_PERIODS;
  readonly holds = new Map<string, Hold>();

  follow(event: EventColumns): void {
    if (event.outcome !== 'success') return;
    if (event.type === RETENTION_CHANGED) this.periods = readPeriods(event) ?? this.periods;
    else if (event.type === HOLD_ADDED) this.holds.set(event.objectId ?? event.eventId, readHold(event));
    else if (event.type === HOLD_RELEASED && event.objectId !== null) this.holds.delete(event.objectId);
  }
}
