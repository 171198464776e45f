/** The operator's routes to the keys. */
import { type Manifest, parseUuid } from '@strongroom/kernel';
import { type Route, defineRoutes } from '@strongroom/pipeline';
import { z } from 'zod';
import { type KeyCopyWish, type Keys, SETTLE_COPIES } from './keys.ts';
import { byOperator, ownEvent, readsOnly } from './operator-routes.ts';

export interface KeyRoutesServices {
  readonly keys: Keys;
}

const defineRoute = defineRoutes<KeyRoutesServices>();

const shared = byOperator('keys');

const VIA = 'administrator-socket';

const id = z.uuidv7().transform((text) => parseUuid(text));

/** PATH_MAX of Linux. */
const copy = z.union([
  z.enum(['configured', 'none']),
  z.strictObject({
    path: z.string().startsWith('/').max(4096),
    recipients: z.array(z.string().max(4096)).min(1).max(16),
  }),
]) satisfies z.ZodType<KeyCopyWish>;

const copies = z
  .array(
    z.strictObject({
      folder: z.string(),
      state: z.enum(['present', 'behind', 'unavailable']),
      failure: z.string().optional(),
    }),
  )
  .readonly();

const slot = z.strictObject({
  name: z.string(),
  erasure: z.enum(['overwritten', 'key-destroyed', 'none']),
  acknowledged: z.boolean(),
  failure: z.string().optional(),
});

const scope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('root') }),
  z.strictObject({ kind: z.literal('tenant'), tenant: id }),
  z.strictObject({ kind: z.literal('column'), table: z.string().max(63), column: z.string().max(63) }),
]);

const rotation = z.strictObject({
  id: z.string(),
  scope: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('root') }),
    z.strictObject({ kind: z.literal('tenant'), tenant: z.string() }),
    z.strictObject({ kind: z.literal('column'), table: z.string(), column: z.string() }),
  ]),
  keyVersion: z.int(),
  state: z.enum(['running', 'finishing', 'complete', 'failed', 'cancelled']),
  pass: z.int(),
  total: z.int(),
  seen: z.int(),
  rewritten: z.int(),
  leftToWriters: z.int(),
  authenticated: z.int(),
  erased: z.int(),
  damaged: z.int(),
  damagedPlaces: z.array(z.string()).readonly(),
  retired: z.array(z.int()).readonly(),
  startedAt: z.number(),
  finishedAt: z.number().nullable(),
  failure: z.string().nullable(),
});

const overview = z.strictObject({
  keyVersion: z.int(),
  lookupVersion: z.int(),
  revision: z.int(),
  versions: z.array(z.strictObject({ version: z.int(), createdAt: z.number(), isLookupOnly: z.boolean() })).readonly(),
  versionsInUse: z.array(z.int()).readonly(),
  tree: z.strictObject({
    version: z.int(),
    complete: z.boolean(),
    subjects: z.int(),
    nodes: z.int(),
    shredded: z.int(),
    shredding: z.int(),
  }),
  slots: z.array(slot).readonly(),
  rotations: z.array(rotation).readonly(),
  copies,
  waiting: z.int(),
});

const shredReport = z.strictObject({
  shredded: z.int(),
  already: z.int(),
  rootOperations: z.int(),
  wraps: z.int(),
  complete: z.boolean(),
  erased: z.boolean(),
  slots: z.array(slot).readonly(),
  copies,
});

const plan = z.strictObject({
  table: z.string(),
  column: z.string(),
  rows: z.int(),
  unreadable: z.int(),
  distinct: z.int(),
  mostFrequent: z.number(),
  single: z.number(),
  recoveredByFrequency: z.number(),
  widths: z
    .array(z.strictObject({ bits: z.int(), falsePositives: z.number(), alone: z.number(), guessed: z.number() }))
    .readonly(),
});

const statusRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/keys',
  summary: 'Slots, key versions, the key tree and rotations',
  input: {},
  output: overview,
  audit: readsOnly,
  handler: async ({ services }) => ({ body: await services.keys.overview() }),
});

const shredRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/keys/shreds',
  summary: 'Erases the keys of people, for good',
  input: { body: z.strictObject({ subjects: z.array(id).min(1).max(256), copy }) },
  output: shredReport,
  audit: ownEvent,
  handler: async ({ body, services }) => ({ body: await services.keys.shred(body.subjects, body.copy, VIA) }),
});

const rotateRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/keys/rotations',
  summary: 'Makes a new key version and begins to write values anew under it',
  input: {
    body: z.strictObject({
      scope,
      share: z.number().gt(0).max(1).optional(),
      keepsFormer: z.boolean().optional(),
      toPresent: z.boolean().optional(),
      copy,
    }),
  },
  output: rotation,
  audit: ownEvent,
  handler: async ({ body, services }) => ({ body: await services.keys.rotate(body) }),
});

const rotationPath = { path: z.strictObject({ rotation: id }) };

const rotationRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/keys/rotations/{rotation}',
  summary: 'How far a rotation has come',
  input: rotationPath,
  output: rotation,
  audit: readsOnly,
  handler: async ({ path, services }) => ({ body: await services.keys.rotation(path.rotation) }),
});

const cancelRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/keys/rotations/{rotation}/cancellation',
  summary: 'Ends a rotation where it is; former key versions stay',
  input: rotationPath,
  output: rotation,
  audit: ownEvent,
  handler: async ({ path, services }) => ({ body: await services.keys.cancelRotation(path.rotation) }),
});

const planRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/keys/index-plans',
  summary: 'What a blind index of a column would give away',
  input: {
    body: z.strictObject({
      table: z.string().max(63),
      column: z.string().max(63),
      widths: z.array(z.int().min(1).max(256)).max(16).optional(),
    }),
  },
  output: plan,
  audit: readsOnly,
  handler: async ({ body: { table, column, widths }, services }) => ({
    body: await services.keys.planIndex(table, column, { widths }),
  }),
});

/**
 * The audit log refuses every change of its signing keys. A rotation has to write their encrypted half anew, which changes nothing of what they are: a
 * value that does not hold the key of its row stops the log.
 */
const rotatingSigningKeys = `
drop trigger audit_signing_keys_append_only on audit_signing_keys;
create trigger audit_signing_keys_append_only
  before delete or truncate or update of key_id, algorithm, verifier_key, created_at on audit_signing_keys
  for each statement execute function audit_refuse_change();
grant update (private_key) on audit_signing_keys to strongroom_system;
`;

export const manifest: Manifest<Route<KeyRoutesServices>, KeyRoutesServices> = {
  name: 'keys',
  migrations: [{ name: '0001-rotating-signing-keys', sql: rotatingSigningKeys }],
  auditEvents: {
    'keys.shred-begun': {
      title: 'The operator began to erase people’s keys',
      class: 'administration',
      retention: 'security',
      ocsf: 'entity-management/delete',
    },
    'keys.shred-ended': {
      title: 'The keys of people were erased',
      class: 'administration',
      retention: 'security',
      ocsf: 'entity-management/delete',
    },
    'keys.copied': {
      title: 'A copy of people’s keys was made',
      class: 'administration',
      retention: 'security',
      ocsf: 'datastore-activity/read',
    },
    'keys.rotation-begun': {
      title: 'The operator began to rotate keys',
      class: 'administration',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
    'keys.rotation-ended': {
      title: 'A rotation of keys ended',
      class: 'administration',
      retention: 'security',
      ocsf: 'entity-management/update',
    },
  },
  routes: [statusRoute, shredRoute, rotateRoute, rotationRoute, cancelRoute, planRoute],
  jobs: [{ name: SETTLE_COPIES, everySeconds: 60, run: ({ keys }) => keys.settleCopies() }],
};
