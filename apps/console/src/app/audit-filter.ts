/** Which entries of the audit log somebody wants to see, and what that means for a search. */
import { auditEventClasses, type AuditEventClass } from '@strongroom/kernel';
import type { AuditQuery } from '../vault/audit-protocol.ts';

export interface AuditFilter {
  readonly show: keyof typeof SHOWN;
  /** An account, or a pseudonym of the log; null for everybody. */
  readonly person: string | null;
  /** Id of what was acted upon, and what it is called here; null for everything. */
  readonly object: { readonly id: string; readonly name: string } | null;
  /** The first and the last day in the person's time zone, as a date field gives them; empty for no limit. */
  readonly from: string;
  readonly until: string;
}

/** The application itself reads all the time: what people did would drown in it. */
const allBut = (left: AuditEventClass): AuditEventClass[] => auditEventClasses.filter((one) => one !== left);

const SHOWN = {
  changes: { class: allBut('data-access') },
  access: { class: ['sign-in', 'security', 'permission'] },
  reading: { class: ['data-access'] },
  unsuccessful: { outcome: ['denied', 'failure'] },
  everything: {},
} as const satisfies Readonly<Record<string, AuditQuery>>;

/** In the order in which they are offered. */
export const SHOWABLE = Object.keys(SHOWN) as readonly AuditFilter['show'][];

export const FIRST_FILTER: AuditFilter = { show: 'changes', person: null, object: null, from: '', until: '' };
export const NO_FILTER: AuditFilter = { ...FIRST_FILTER, show: 'everything' };

export const isFirst = (filter: AuditFilter): boolean => queryKey(filter) === queryKey(FIRST_FILTER);

const queryKey = (filter: AuditFilter): string => JSON.stringify(auditQuery(filter));

export function auditQuery({ show, person, object, from, until }: AuditFilter): AuditQuery {
  const first = midnight(from, 0);
  const end = midnight(until, 1);
  return {
    ...SHOWN[show],
    ...(person === null ? {} : { actor: person }),
    ...(object === null ? {} : { object: object.id }),
    ...(first === null ? {} : { from: first.toISOString() }),
    ...(end === null ? {} : { to: end.toISOString() }),
  };
}

/** Nothing can lie between the two days. */
export function isBackwards({ from, until }: AuditFilter): boolean {
  const first = midnight(from, 0);
  const last = midnight(until, 0);
  return first !== null && last !== null && last < first;
}

/** Years before it are years that somebody is still typing. */
const FIRST_YEAR = 2000;

/** When the day begins here, or a later one; null for none, and for one that is still being typed. */
export function midnight(day: string, daysLater: number): Date | null {
  const [, year = '', month = '', date = ''] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  return Number(year) < FIRST_YEAR ? null : new Date(Number(year), Number(month) - 1, Number(date) + daysLater);
}
