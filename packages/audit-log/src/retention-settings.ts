/**
 * Setting periods and holds. There is no table for them: what is set is an event, and a run reads the log. Each function tells what to record; the caller
 * records it in the same transaction, or nothing was set. For the system role.
 */
import { newUuid, type Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { AuditLogError } from './errors.ts';
import { readRetentionRules } from './internal/retention-rules.ts';
import { type Hold, type RetentionPeriods } from './retention.ts';
import { readPeople } from './search-events.ts';

/** What an event has beside its type, outcome and context. */
export interface RetentionRecord {
  readonly object?: { readonly type: string; readonly id: string };
  readonly subjects?: readonly Uuid[];
  readonly details: Readonly<Record<string, string | number>>;
}

export interface RetentionListed {
  readonly periods: RetentionPeriods;
  /** The oldest first. */
  readonly holds: readonly Hold[];
}

export async function readRetention(transaction: Transaction): Promise<RetentionListed> {
  const { periods, holds } = await readRetentionRules(transaction);
  return { periods, holds: [...holds.values()] };
}

export interface Change {
  readonly periods: RetentionPeriods;
  readonly record: RetentionRecord;
}

/** To be recorded as `RETENTION_CHANGED`. What is not named stays as it is. */
export async function changePeriods(
  transaction: Transaction,
  wanted: { readonly [Period in keyof RetentionPeriods]?: number | undefined },
): Promise<Change> {
  const { periods: former } = await readRetentionRules(transaction);
  const periods = {
    securityDays: wanted.securityDays ?? former.securityDays,
    accessDays: wanted.accessDays ?? former.accessDays,
    operationalDays: wanted.operationalDays ?? former.operationalDays,
  };
  return { periods, record: { details: { ...periods } } };
}

export interface WantedHold {
  /** `HOLD_REASON` says what it may be. */
  readonly reason: string;
  readonly tenant?: string | undefined;
  /** An account, or its pseudonym in the log. */
  readonly account?: string | undefined;
  /** RFC 3339: events from this moment on. */
  readonly from?: string | undefined;
  /** RFC 3339: events before this moment. */
  readonly to?: string | undefined;
}

export interface NewHold {
  readonly hold: Uuid;
  readonly record: RetentionRecord;
}

/** To be recorded as `HOLD_ADDED`. Throws `audit-log.unknown-person`, also for somebody who was forgotten: then no event can be told to be about them. */
export async function addHold(transaction: Transaction, wanted: WantedHold, now: number): Promise<NewHold> {
  const { reason, account, ...conditions } = wanted;
  const [person] = account === undefined ? [] : await readPeople(transaction, [account]);
  if (account !== undefined && person === undefined) throw new AuditLogError('audit-log.unknown-person');
  const hold = newUuid(now);
  const named = Object.entries(conditions).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return {
    hold,
    record: {
      object: { type: HOLD, id: hold },
      subjects: person === undefined ? [] : [person.account],
      details: { reason, ...(Object.fromEntries(named) as Record<string, string>) },
    },
  };
}

/** To be recorded as `HOLD_RELEASED`. Throws `audit-log.unknown-hold`. */
export async function releaseHold(transaction: Transaction, hold: string, reason: string): Promise<RetentionRecord> {
  const { holds } = await readRetentionRules(transaction);
  if (!holds.has(hold)) throw new AuditLogError('audit-log.unknown-hold');
  return { object: { type: HOLD, id: hold }, details: { reason } };
}

const HOLD = 'audit-hold';
