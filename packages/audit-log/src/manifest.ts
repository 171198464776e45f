import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import type { AuditLog } from './audit-log.ts';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import { routes } from './routes.ts';

/** What this room's jobs use; the composition root provides it. */
export interface AuditLogServices {
  readonly auditLog: Pick<AuditLog, 'sequence'>;
}

/** Seconds between two looks into the queue; commits make the job run sooner. */
const SEQUENCE_EVERY_SECONDS = 1;

export const manifest: Manifest<Route<object>, AuditLogServices> = {
  name: 'audit-log',
  migrations,
  dataMap,
  permissions: {
    'audit.read': 'Read what happened in the tenant, and verify the audit log.',
  },
  auditEvents: {
    'audit.read': { title: 'Somebody read the audit log' },
  },
  routes,
  jobs: [
    {
      name: 'audit-log.sequence',
      everySeconds: SEQUENCE_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.sequence(signal);
      },
    },
  ],
};
