/** Columns on their way while the service runs: blind indexes that are made anew, and plaintext that is being encrypted. What the operator can ask, and what is logged. */
import type { ColumnMigrationOptions, IndexReport, IndexRotations, MigrationStep } from '@strongroom/encryption';
import type { Manifest } from '@strongroom/kernel';
import { type Route, defineRoutes } from '@strongroom/pipeline';
import type { Transaction } from '@strongroom/storage';
import { z } from 'zod';
import { appendVaultEvent, type OperatorEventServices } from './vault-events.ts';
import { byOperator, ownEvent, readsOnly } from './operator-routes.ts';

/** Columns of the rooms that are being encrypted, declared as `moving` in their codec: docs/guides/encrypt-a-column.md. At present none is. */
export const movingColumns: readonly Pick<ColumnMigrationOptions, 'codec' | 'column' | 'share'>[] = [];

/** Begun by the operator's word, and carried out by a job: both are the operator's doing. */
export const recordIndexRotation = (
  services: OperatorEventServices,
  transaction: Transaction,
  moment: 'begun' | 'ended',
  { table, column, liveVersion, otherVersion, outcome }: IndexReport,
): Promise<void> =>
  appendVaultEvent(services, transaction, {
    type: `column.index-rotation-${moment}`,
    outcome: outcome === 'cancelled' ? 'failure' : 'success',
    actor: services.operator(),
    details: {
      column: `${table}.${column}`,
      // The one that comes while it is filled, the one that stays when it is done.
      keyVersion: otherVersion ?? liveVersion,
      ...(outcome === null ? {} : { state: outcome }),
    },
  });

/** The steps that change what counts. Those between them are the same work going on. */
const columnEvents: Readonly<Partial<Record<MigrationStep['phase'], string>>> = {
  'dual-writing': 'column.encryption-begun',
  declared: 'column.encryption-reverted',
  'cut-over': 'column.encryption-cut-over',
  dropped: 'column.encryption-ended',
};

export async function recordColumnMigration(
  services: OperatorEventServices,
  transaction: Transaction,
  { table, column, from, phase, until, seen }: MigrationStep,
): Promise<void> {
  const type = columnEvents[phase];
  if (type === undefined) return;
  const details = { column: `${table}.${column}`, from, until, rows: seen };
  await appendVaultEvent(services, transaction, { type, outcome: 'success', actor: services.operator(), details });
}

export interface ColumnServices {
  readonly indexRotations: IndexRotations;
}

const defineRoute = defineRoutes<ColumnServices>();

const shared = byOperator('columns');

/** PostgreSQL cuts longer names off. */
const name = z.string().max(63);
const place = z.strictObject({ table: name, column: name });

const indexRotation = z.strictObject({
  table: z.string(),
  column: z.string(),
  state: z.enum(['settled', 'filling', 'filled', 'emptying']),
  liveColumn: z.string(),
  liveVersion: z.int(),
  otherColumn: z.string().nullable(),
  otherVersion: z.int().nullable(),
  share: z.number(),
  total: z.int(),
  seen: z.int(),
  changed: z.int(),
  outcome: z.enum(['complete', 'cancelled']).nullable(),
  failure: z.string().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
}) satisfies z.ZodType<IndexReport>;

const listRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/indexes',
  summary: 'Blind indexes that can be rotated, under which key they are, and how far their rotation has come',
  input: {},
  output: z.strictObject({ indexes: z.array(indexRotation).readonly() }),
  audit: readsOnly,
  handler: async ({ services }) => ({ body: { indexes: await services.indexRotations.list() } }),
});

const rotateRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/indexes/{table}/{column}/rotation',
  summary: 'Begins to make a blind index anew under the present key version',
  input: { path: place, body: z.strictObject({ share: z.number().gt(0).max(1).optional() }) },
  output: indexRotation,
  audit: ownEvent,
  handler: async ({ path, body, services }) => ({
    body: await services.indexRotations.begin(path.table, path.column, body),
  }),
});

const statusRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/indexes/{table}/{column}/rotation',
  summary: 'How far the rotation of a blind index has come',
  input: { path: place },
  output: indexRotation,
  audit: readsOnly,
  handler: async ({ path, services }) => ({ body: await services.indexRotations.status(path.table, path.column) }),
});

const cancelRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/indexes/{table}/{column}/cancellation',
  summary: 'Takes the rotation of a blind index back, as long as the new one does not count',
  input: { path: place },
  output: indexRotation,
  audit: ownEvent,
  handler: async ({ path, services }) => ({ body: await services.indexRotations.cancel(path.table, path.column) }),
});

const ADMINISTRATION = { class: 'administration', retention: 'security', ocsf: 'entity-management/update' } as const;

export const manifest: Manifest<Route<ColumnServices>> = {
  name: 'columns',
  auditEvents: {
    'column.index-rotation-begun': { title: 'The operator began to rotate a blind index', ...ADMINISTRATION },
    'column.index-rotation-ended': { title: 'A rotation of a blind index ended', ...ADMINISTRATION },
    'column.encryption-begun': { title: 'The encryption of a column in use began', ...ADMINISTRATION },
    'column.encryption-reverted': { title: 'The encryption of a column was taken back', ...ADMINISTRATION },
    'column.encryption-cut-over': { title: 'A column was cut over to its encrypted values', ...ADMINISTRATION },
    'column.encryption-ended': { title: 'The last plaintext of a column was removed', ...ADMINISTRATION },
  },
  routes: [listRoute, rotateRoute, statusRoute, cancelRoute],
};
