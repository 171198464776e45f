/** A small application for the tests: real database, ports in a few lines each. Not published. */
import { anonymous, newUuid, StrongroomError, type AccountActor, type Uuid } from '@strongroom/kernel';
import { defineDataMap, operational, type Manifest } from '@strongroom/kernel';
import { tenantTable, type Database, type Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { z } from 'zod';
import type { DeclaredRoute } from './check-routes.ts';
import { PipelineError } from './errors.ts';
import type { PipelineRequest } from './http.ts';
import type { AuditEvent, Identity, LimitPolicy, Ports } from './ports.ts';
import { defineRoutes, notAudited, publicRoute } from './route.ts';

export interface Services {
  readonly greeting: string;
}

export const defineRoute = defineRoutes<Services>();

export const perAddress: LimitPolicy = {
  name: 'network',
  burst: 1000,
  rate: 60,
  periodSeconds: 60,
  store: 'process',
  by: 'address',
};
export const perAccount: LimitPolicy = {
  name: 'account',
  burst: 1000,
  rate: 60,
  periodSeconds: 60,
  store: 'process',
  by: 'account',
};

/** A route that needs nobody, but for its handler. */
export const healthRoute: DeclaredRoute = {
  method: 'GET',
  path: '/healthz',
  summary: 'Alive',
  input: {},
  output: z.string(),
  access: publicRoute('load balancers have no account'),
  assurance: 'none',
  limit: [perAddress],
  audit: notAudited('tells nothing'),
  stateless: true,
};

export const manifest = {
  name: 'things',
  migrations: [
    {
      name: '0001-things',
      sql: `
        create table things (tenant_id uuid not null, id uuid primary key, title text not null);
        ${tenantTable('things')}
        create table audit_rows (number bigint generated always as identity primary key, type text not null, event jsonb not null);
      `,
    },
  ],
  dataMap: defineDataMap({
    things: { scope: 'tenant', columns: { tenant_id: operational, id: operational, title: operational } },
    audit_rows: { scope: 'installation', columns: { number: operational, type: operational, event: operational } },
  }),
  permissions: { 'thing.read': 'Read things.', 'thing.write': 'Change things.', 'account.read': 'See oneself.' },
  auditEvents: {
    'thing.made': {
      title: 'A thing was made',
      class: 'data-change',
      retention: 'operational',
      ocsf: 'datastore-activity/create',
    },
    'door.tried': {
      title: 'Somebody tried the door',
      class: 'sign-in',
      retention: 'security',
      ocsf: 'authentication/logon',
    },
  },
} as const satisfies Manifest;

export const alice: AccountActor = { kind: 'account', account: newUuid(), session: newUuid(), tenant: newUuid() };

class BadToken extends StrongroomError<'test.bad-token'> {
  constructor() {
    super({ 'test.bad-token': { status: 401, message: 'Unknown session.' } }, 'test.bad-token');
  }
}

/** What the tests look at and turn. */
export interface World {
  readonly database: Database;
  readonly ports: Ports;
  readonly clock: { time: number; now(): number };
  /** `permission` or `permission space` */
  readonly allowed: Set<string>;
  /** Limit names that are used up. */
  readonly exhausted: Set<string>;
  readonly taken: string[];
  readonly log: { code?: string; status: number; route: string }[];
  readonly failures: unknown[];
  /** Makes the audit port fail for outcomes named here. */
  readonly brokenAudit: Set<string>;
  sequencerNudges: number;
  auditRows(): Promise<AuditEvent[]>;
  titles(): Promise<string[]>;
  reset(): Promise<void>;
}

const identities: Readonly<Record<string, Identity>> = {
  'Bearer alice': { actor: alice, assurance: 'session', credential: 'bearer' },
  'Bearer alice-again': { actor: alice, assurance: 'reauthenticated', credential: 'bearer' },
  'session=alice': { actor: alice, assurance: 'session', credential: 'cookie' },
  'Bearer operator': {
    actor: { kind: 'operator', via: 'administrator-socket' },
    assurance: 'session',
    credential: 'bearer',
  },
};

export function makeWorld(database: Database): World {
  const rows = async <Row>(query: (transaction: Transaction) => Promise<{ rows: Row[] }>): Promise<Row[]> =>
    (await database.transaction({ kind: 'tenant', tenant: alice.tenant }, query)).rows;
  const world: World = {
    database,
    clock: { time: Date.UTC(2026, 10, 22), now: () => world.clock.time },
    allowed: new Set(['thing.read', 'thing.write', 'account.read']),
    exhausted: new Set(),
    taken: [],
    log: [],
    failures: [],
    brokenAudit: new Set(),
    sequencerNudges: 0,
    ports: {
      sessions: {
        identify: async ({ headers }) => {
          const credential = headers['authorization'] ?? headers['cookie'];
          if (credential === undefined) return { actor: anonymous, assurance: 'none', credential: 'none' };
          const identity = identities[credential];
          if (identity === undefined) throw new BadToken();
          return identity;
        },
      },
      authorizer: {
        allows: async (_transaction, { permission, scope }) =>
          world.allowed.has(scope.kind === 'tenant' ? permission : `${permission} ${scope.space}`),
      },
      limiter: {
        take: async (policy, key) => {
          world.taken.push(`${policy.name} ${key}`);
          return world.exhausted.has(policy.name)
            ? { allowed: false, limit: policy.burst, remaining: 0, retryAfter: 7 }
            : { allowed: true, limit: policy.burst, remaining: policy.burst - 1, retryAfter: 0 };
        },
      },
      audit: {
        append: async (transaction, event) => {
          if (world.brokenAudit.has(event.outcome)) throw new Error('audit storage is broken');
          await sql`insert into audit_rows (type, event) values (${event.type}, ${JSON.stringify(event)}::jsonb)`.execute(
            transaction,
          );
        },
        committed: () => void (world.sequencerNudges += 1),
      },
      log: {
        request: ({ status, route, code }) =>
          void world.log.push({ status, route, ...(code === undefined ? {} : { code }) }),
        failure: (_requestId, _route, error) => void world.failures.push(error),
      },
    },
    auditRows: async () => {
      const found = await rows<{ event: AuditEvent }>((transaction) =>
        sql<{ event: AuditEvent }>`select event from audit_rows order by number`.execute(transaction),
      );
      return found.map(({ event }) => event);
    },
    titles: async () => {
      const found = await rows<{ title: string }>((transaction) =>
        sql<{ title: string }>`select title from things order by id`.execute(transaction),
      );
      return found.map(({ title }) => title);
    },
    reset: async () => {
      await rows((transaction) => sql`delete from things`.execute(transaction));
      await rows((transaction) => sql`delete from audit_rows`.execute(transaction));
      for (const name of ['thing.read', 'thing.write', 'account.read']) world.allowed.add(name);
      world.exhausted.clear();
      world.brokenAudit.clear();
      world.taken.length = 0;
      world.log.length = 0;
      world.failures.length = 0;
      world.sequencerNudges = 0;
    },
  };
  return world;
}

export async function insertThing(transaction: Transaction, id: Uuid, title: string): Promise<void> {
  await sql`insert into things (tenant_id, id, title) values (${alice.tenant}, ${id}, ${title})`.execute(transaction);
}

const encoder = new TextEncoder();

export type RequestParts = Partial<Omit<PipelineRequest, 'body'>> & {
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
};

/** A request as an adapter would hand it over; JSON bodies get their headers. */
export function makeRequest({ json, bytes, headers, ...parts }: RequestParts): PipelineRequest {
  const payload = bytes ?? (json === undefined ? undefined : encoder.encode(JSON.stringify(json)));
  const bodyHeaders =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(payload.length) };
  return {
    method: 'GET',
    path: '/',
    parameters: {},
    query: new URLSearchParams(),
    clientAddress: '203.0.113.77',
    secure: true,
    signal: new AbortController().signal,
    ...parts,
    headers: { host: 'vault.example', ...bodyHeaders, ...headers },
    body: async (limit) => {
      if (payload !== undefined && payload.length > limit) throw new PipelineError('pipeline.body-too-large');
      return payload ?? new Uint8Array();
    },
  };
}

export const uuidSchema = z.uuidv7();
