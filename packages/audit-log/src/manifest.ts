import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import type { AuditLog } from './audit-log.ts';
import { REDACTION } from './entry.ts';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import { operatorRoutes } from './operator-routes.ts';
import { routes } from './routes.ts';

/** What this room's jobs use; the composition root provides it. */
export interface AuditLogServices {
  readonly auditLog: Pick<AuditLog, 'sequence' | 'witness'>;
}

/** Seconds between two looks into the queue; commits make the job run sooner. */
const SEQUENCE_EVERY_SECONDS = 1;

/** Seconds between two requests to witnesses; without a policy it is one short look into a table. */
const WITNESS_EVERY_SECONDS = 10;

export const manifest: Manifest<Route<object>, AuditLogServices> = {
  name: 'audit-log',
  migrations,
  dataMap,
  permissions: {
    'audit.read': 'Read what happened in the tenant, and verify the audit log.',
  },
  auditEvents: {
    'audit.read': { title: 'Somebody read the audit log' },
    'audit.witnesses-changed': { title: 'The operator changed who must witness the audit log' },
    [REDACTION]: { title: 'A person was forgotten in the audit log' },
  },
  routes: [...routes, ...operatorRoutes],
  jobs: [
    {
      name: 'audit-log.sequence',
      everySeconds: SEQUENCE_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.sequence(signal);
      },
    },
    {
      name: 'audit-log.witness',
      everySeconds: WITNESS_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.witness(signal);
      },
    },
  ],
};
