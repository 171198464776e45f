import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import { asSystem, type Database } from '@strongroom/storage';
import type { AuditLog } from './audit-log.ts';
import { KEY_ROTATION, REDACTION } from './entry.ts';
import { BACKGROUND_CHANGE } from './background-changes.ts';
import { dataMap } from './internal/data-map.ts';
import { DEAD_LETTER, DELIVERY_JOB } from './internal/delivery.ts';
import { migrations } from './internal/migrations.ts';
import type { AuditRouteServices } from './internal/log-routes.ts';
import { operatorRoutes } from './operator-routes.ts';
import { reconcileRoutes } from './reconcile-routes.ts';
import { HOLD_ADDED, HOLD_RELEASED, RETENTION_CHANGED, RETENTION_RUN } from './retention.ts';
import { retentionRoutes, type RetentionRouteServices } from './retention-routes.ts';
import { routes } from './routes.ts';
import { sinkRoutes, type SinkRouteServices } from './sink-routes.ts';
import type { Sinks } from './sinks.ts';

/** What this room's jobs use; the composition root provides it. */
export interface AuditLogServices {
  readonly auditLog: Pick<AuditLog, 'sequence' | 'witness' | 'applyRetention' | 'redactErased' | 'sealOpenings'>;
  readonly database: Database;
  readonly auditSinks: Pick<Sinks, 'deliver'>;
}

/** Seconds between two looks into the queue; commits make the job run sooner. */
const SEQUENCE_EVERY_SECONDS = 1;

/** Seconds between two requests to witnesses; without a policy it is one short look into a table. */
const WITNESS_EVERY_SECONDS = 10;

/** Seconds between two deliveries to sinks; without anything to deliver it is one short look into two small tables. */
const DELIVER_EVERY_SECONDS = 5;

/** Seconds between two retention runs: periods are whole days. */
const RETAIN_EVERY_SECONDS = 86_400;

/** Seconds between two looks for people whose keys are gone: whoever destroys them has them forgotten at once, so this is for what a crash left. */
const REDACT_EVERY_SECONDS = 3600;

/** Seconds between two looks for openings in the clear, which only versions of before leave. */
const SEAL_EVERY_SECONDS = 3600;

/** Also the actor of the entries it writes. */
const RETENTION_JOB = 'audit-log.retention';

export const manifest: Manifest<
  Route<AuditRouteServices & SinkRouteServices & RetentionRouteServices>,
  AuditLogServices
> = {
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
    [BACKGROUND_CHANGE]: {
      title: 'A job or a migration changed rows that the audit log accounts for',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/update',
    },
    'audit.sink-added': {
      title: 'The operator added a receiver of events of the audit log',
      class: 'policy',
      retention: 'security',
      ocsf: 'entity-management/create',
    },
    'audit.sink-removed': {
      title: 'The operator removed a receiver of events of the audit log',
      class: 'policy',
      retention: 'security',
      ocsf: 'entity-management/delete',
    },
    'audit.sink-retried': {
      title: 'The operator had undelivered events of the audit log sent again',
      class: 'administration',
      retention: 'operational',
      ocsf: 'entity-management/update',
    },
    [DEAD_LETTER]: {
      title: 'A batch of events was set aside because its receiver does not take it',
      class: 'administration',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
    [RETENTION_CHANGED]: {
      title: 'The operator changed how long the content of events is kept',
      class: 'policy',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
    [RETENTION_RUN]: {
      title: 'The content of events was removed because its time was over',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/delete',
    },
    [HOLD_ADDED]: {
      title: 'The operator put events on hold: they are kept whatever their age',
      class: 'policy',
      retention: 'security',
      ocsf: 'entity-management/create',
    },
    [HOLD_RELEASED]: {
      title: 'The operator released a hold on events',
      class: 'policy',
      retention: 'security',
      ocsf: 'entity-management/delete',
    },
    [KEY_ROTATION]: {
      title: 'The operator changed the keys that sign the audit log',
      class: 'security',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
    [REDACTION]: {
      title: 'A person was forgotten in the audit log',
      class: 'data-change',
      retention: 'security',
      ocsf: 'datastore-activity/delete',
    },
  },
  routes: [...routes, ...operatorRoutes, ...reconcileRoutes, ...sinkRoutes, ...retentionRoutes],
  jobs: [
    {
      name: 'audit-log.sequence',
      everySeconds: SEQUENCE_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.sequence(signal);
      },
    },
    {
      name: RETENTION_JOB,
      everySeconds: RETAIN_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.applyRetention({ kind: 'system', via: RETENTION_JOB }, signal);
      },
    },
    {
      name: 'audit-log.redact-erased',
      everySeconds: REDACT_EVERY_SECONDS,
      run: async ({ auditLog, database }) => {
        await database.transaction(asSystem, (transaction) => auditLog.redactErased(transaction));
      },
    },
    {
      name: 'audit-log.seal-openings',
      everySeconds: SEAL_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.sealOpenings(signal);
      },
    },
    {
      name: 'audit-log.witness',
      everySeconds: WITNESS_EVERY_SECONDS,
      run: async ({ auditLog }, signal) => {
        await auditLog.witness(signal);
      },
    },
    {
      name: DELIVERY_JOB,
      everySeconds: DELIVER_EVERY_SECONDS,
      run: async ({ auditSinks }, signal) => {
        await auditSinks.deliver(signal);
      },
    },
  ],
};
