/** How long the content of events is kept, and what is kept longer: for the operator on the machine. */
import { audited, defineRoutes, type LimitPolicy, notAudited, operatorOnly } from '@strongroom/pipeline';
import { z } from 'zod';
import type { AuditLog } from './audit-log.ts';
import {
  type Hold,
  HOLD_ADDED,
  HOLD_REASON,
  HOLD_RELEASED,
  LONGEST_PERIOD,
  RETENTION_CHANGED,
  SHORTEST_PERIOD,
} from './retention.ts';
import { addHold, changePeriods, readRetention, releaseHold } from './retention-settings.ts';
import { formatMicroseconds } from './times.ts';

/** What these routes use; the composition root provides it. */
export interface RetentionRouteServices {
  readonly auditLog: Pick<AuditLog, 'applyRetention' | 'previewRetention'>;
}

const defineRoute = defineRoutes<RetentionRouteServices>();

/** The operator is one person at one machine. */
const limit: LimitPolicy = {
  name: 'audit-log.retention',
  by: 'account',
  burst: 100,
  rate: 20,
  periodSeconds: 1,
  store: 'process',
};

const shared = { access: operatorOnly, assurance: 'session', limit: [limit] } as const;

const days = z.int().min(SHORTEST_PERIOD).max(LONGEST_PERIOD);
const periods = z.strictObject({ securityDays: days, accessDays: days, operationalDays: days });
const count = z.int();
const report = z.strictObject({
  /** Removed; null for a preview. */
  removed: count.nullable(),
  /** What is still due, by the retention of the events' types. */
  due: z.strictObject({ security: count, access: count, operational: count }),
  /** Older than their period, and on hold. */
  held: count,
});
const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'Expected a lower-case UUID.');
const time = z.iso.datetime({ offset: true }).max(40);
const reason = z.string().regex(HOLD_REASON, 'Expected a word such as the number of a case, without spaces.');

const hold = z.strictObject({
  id: z.string(),
  reason: z.string(),
  tenant: z.string().nullable(),
  /** Pseudonym in the log. */
  person: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  addedAt: z.string(),
});

export type WireHold = z.output<typeof hold>;
export type WireRetentionReport = z.output<typeof report>;

/** A hold as it travels. */
export const holdJson = (known: Hold): WireHold => ({ ...known, addedAt: formatMicroseconds(known.addedAt) });

const showRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/retention',
  summary: 'For how many days the content of events is kept, by the retention of their type',
  input: {},
  output: periods,
  audit: notAudited('It shows three numbers.'),
  handler: async ({ transaction }) => ({ body: (await readRetention(transaction)).periods }),
});

const setRoute = defineRoute({
  ...shared,
  method: 'PUT',
  path: '/operator/audit/retention',
  summary: 'Sets for how many days the content of events is kept; what is not named stays as it is',
  input: { body: periods.partial() },
  output: periods,
  audit: audited(RETENTION_CHANGED),
  async handler(call) {
    const changed = await changePeriods(call.transaction, call.body);
    call.record(changed.record);
    return { body: changed.periods };
  },
});

const runRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/retention/runs',
  summary: 'Removes the content of events that are older than their period now, or tells what would be removed',
  input: { body: z.strictObject({ dryRun: z.boolean() }) },
  output: report,
  audit: notAudited('Each batch is an entry that the audit log writes itself; a preview shows counts.'),
  // A run is many short transactions, so that events keep being logged.
  stateless: true,
  async handler({ body: { dryRun }, services: { auditLog } }) {
    const removed = dryRun ? null : await auditLog.applyRetention({ kind: 'operator', via: 'administrator-socket' });
    const { due, held } = await auditLog.previewRetention();
    return { body: { removed, due: { ...due }, held } };
  },
});

const holdsRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/holds',
  summary: 'What is kept whatever its age',
  input: {},
  output: z.strictObject({ items: z.array(hold), next: z.null() }),
  audit: notAudited('It shows pseudonyms and numbers of cases, but no event.'),
  async handler({ transaction }) {
    const { holds } = await readRetention(transaction);
    return { body: { items: holds.map(holdJson), next: null } };
  },
});

const addHoldRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/holds',
  summary: 'Keeps events for which all named conditions hold, whatever their age, until the hold is released',
  input: {
    body: z
      .strictObject({
        reason,
        tenant: uuid.optional(),
        account: uuid.optional(),
        from: time.optional(),
        to: time.optional(),
      })
      .refine((body) => Object.keys(body).length > 1, 'Expected a tenant, an account or a time.'),
  },
  output: z.strictObject({ id: z.string() }),
  audit: audited(HOLD_ADDED),
  async handler(call) {
    const added = await addHold(call.transaction, call.body, call.context.receivedAt);
    call.record(added.record);
    return { body: { id: added.hold } };
  },
});

const releaseRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/hold-releases',
  summary: 'Releases a hold: what is older than its period is removed by the next run',
  input: { body: z.strictObject({ hold: uuid, reason }) },
  output: z.strictObject({ id: z.string() }),
  audit: audited(HOLD_RELEASED),
  async handler(call) {
    call.record(await releaseHold(call.transaction, call.body.hold, call.body.reason));
    return { body: { id: call.body.hold } };
  },
});

export const retentionRoutes = [showRoute, setRoute, runRoute, holdsRoute, addHoldRoute, releaseRoute];
