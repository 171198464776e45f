/** Reconciling stored rows with the log, for the operator on the machine. */
import { audited, defineRoutes, type LimitPolicy, operatorOnly } from '@strongroom/pipeline';
import { z } from 'zod';
import { acceptChanges, reconcile } from './reconcile.ts';

const defineRoute = defineRoutes<object>();

/** Each reads all covered tables. */
const limit: LimitPolicy = {
  name: 'audit-log.reconcile',
  by: 'account',
  burst: 5,
  rate: 5,
  periodSeconds: 60,
  store: 'process',
};

const shared = { access: operatorOnly, assurance: 'session', limit: [limit] } as const;

const reconciliation = z.strictObject({
  ok: z.boolean(),
  tables: z.array(z.strictObject({ name: z.string(), rows: z.int(), isWatched: z.boolean() })),
  changes: z.array(
    z.strictObject({
      table: z.string(),
      row: z.string(),
      kind: z.enum(['inserted', 'changed', 'deleted']),
      reason: z.enum(['no-event', 'behind-triggers', 'event-missing']),
    }),
  ),
  count: z.int(),
});

const accepted = z.strictObject({ count: z.int() });

const reconcileRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/reconciliation',
  summary: 'Changes of covered tables that no event of the audit log accounts for',
  input: {},
  output: reconciliation,
  audit: audited('audit.reconciled'),
  async handler(call) {
    const { ok, tables, changes, count } = await reconcile(call.transaction);
    call.record({ details: { tables: tables.length, found: count } });
    return { body: { ok, tables: [...tables], changes: [...changes], count } };
  },
});

const acceptRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/reconciliation/acceptance',
  summary: 'Takes the rows of covered tables as they are from now on',
  input: {},
  output: accepted,
  audit: audited('audit.changes-accepted'),
  async handler(call) {
    const count = await acceptChanges(call.transaction);
    call.record({ details: { found: count } });
    return { body: { count } };
  },
});

export const reconcileRoutes = [reconcileRoute, acceptRoute];
