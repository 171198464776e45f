import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import type { AuditLog } from './audit-log.ts';
import { REDACTION } from './entry.ts';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import type { AuditRouteServices } from './internal/log-routes.ts';
import { operatorRoutes } from './operator-routes.ts';
import { reconcileRoutes } from './reconcile-routes.ts';
import { routes } from './routes.ts';

/** What this room's jobs use; the composition root provides it. */
export interface AuditLogServices {
  readonly auditLog: Pick<AuditLog, 'sequence' | 'witness'>;
}

/** Seconds between two looks into the queue; commits make the job run sooner. */
const SEQUENCE_EVERY_SECONDS = 1;

/** Seconds between two requests to witnesses; without a policy it is one short look into a table. */
const WITNESS_EVERY_SECONDS = 10;

export const manifest: Manifest<Route<AuditRouteServices>, AuditLogServices> = {
  name: 'audit-log',
  migrations,
  dataMap,
  permissions: {
    'audit.read': 'Read, search and export what happened in the tenant, and verify the audit log.',
  },
  auditEvents: {
    'audit.read': {
      title: 'Somebody read the audit log',
      class: 'data-access',
      retention: 'security',
      ocsf: 'datastore-activity/query',
    },
    'audit.searched': {
      title: 'Somebody searched the audit log',
      class: 'data-access',
      retention: 'security',
      ocsf: 'datastore-activity/query',
    },
    'audit.exported': {
      title: 'Somebody exported the audit log',
      class: 'data-access',
      retention: 'security',
      ocsf: 'datastore-activity/read',
    },
    'audit.witnesses-changed': {
      title: 'The operator changed who must witness the audit log',
      class: 'policy',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
    'audit.reconciled': {
      title: 'The operator compared stored rows with the audit log',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/read',
    },
    'audit.changes-accepted': {
      title: 'The operator accepted changes that the audit log does not account for',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/update',
    },
    [REDACTION]: {
      title: 'A person was forgotten in the audit log',
      class: 'data-change',
      retention: 'security',
      ocsf: 'datastore-activity/delete',
    },
  },
  routes: [...routes, ...operatorRoutes, ...reconcileRoutes],
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
