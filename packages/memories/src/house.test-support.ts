/** Everything beneath this room for its tests: pipeline, storage, accounts, roles, limits and audit log, all real, without a socket. */
import { join } from 'node:path';
import {
  catalogue,
  createAuditLog,
  createSinks,
  manifest as auditLogManifest,
  readReceipt,
  type AuditLog,
} from '@strongroom/audit-log';
import {
  encryptedTables,
  ensureSetupInvitation,
  manifest as authenticationManifest,
  people,
  profiles,
  rotatedIndexes,
  sessionEndings,
  sessionPort,
} from '@strongroom/authentication';
import type { SessionStarted } from '@strongroom/authentication/wire';
import {
  assignSpaceRole,
  authorizer,
  manifest as authorizationManifest,
  memberships,
  type Role,
} from '@strongroom/authorization';
import {
  createEncryption,
  createIndexRotations,
  fileSlot,
  manifest as encryptionManifest,
  type Encryption,
} from '@strongroom/encryption';
import { newUuid, toBase64Url, utf8, type Uuid } from '@strongroom/kernel';
import { createPipeline, PipelineError, type Pipeline, type Route } from '@strongroom/pipeline';
import { createLimiter, manifest as rateLimitingManifest } from '@strongroom/rate-limiting';
import { asSystem, inTenant, type Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { randomText, signUpBody } from '@strongroom/testing/sign-up';
import { departures } from './departures.ts';
import { manifest } from './manifest.ts';
import type { Written } from './wire.ts';

/** Those with routes, permissions or events. */
const rooms = [authenticationManifest, authorizationManifest, auditLogManifest, manifest];
/** What the database must know, in floor order. */
export const manifests = [encryptionManifest, rateLimitingManifest, ...rooms];

export interface Answer<Body = Readonly<Record<string, unknown>>> {
  readonly status: number;
  readonly body: Body;
}

export interface Person {
  readonly account: Uuid;
  readonly tenant: Uuid;
  readonly token: string;
}

export interface AuditRow {
  readonly type: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly objectId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export class House {
  readonly database: Database;
  readonly auditLog: AuditLog;
  readonly encryption: Encryption;
  readonly #pipeline: Pipeline<object>;

  private constructor(database: Database, encryption: Encryption) {
    const clock = { now: () => Date.now() };
    this.database = database;
    this.encryption = encryption;
    this.auditLog = createAuditLog({ clock, database, encryption, events: catalogue(rooms), nudge: () => {} });
    const indexes = { tables: encryptedTables, indexes: rotatedIndexes };
    const indexRotations = createIndexRotations({ clock, database, encryption, ...indexes });
    const services = {
      clock,
      database,
      encryption,
      indexRotations,
      memberships,
      auditLog: this.auditLog,
      auditSinks: createSinks({
        clock,
        database,
        encryption,
        auditLog: this.auditLog,
        program: '0.0.0',
        nudge: () => {},
      }),
      profiles: profiles({ encryption }),
      people: people({ encryption, indexRotations }),
      sessionEndings,
      departures: departures({ clock }),
      receipts: { receipt: readReceipt },
    };
    this.#pipeline = createPipeline<typeof services>({
      routes: [
        ...authenticationManifest.routes,
        ...authorizationManifest.routes!,
        ...auditLogManifest.routes!,
        ...manifest.routes,
      ],
      manifests: rooms,
      services,
      database,
      clock,
      ports: {
        sessions: sessionPort(services),
        authorizer: authorizer(rooms),
        limiter: createLimiter({ database, clock, hash: (purpose, input) => encryption.keyedHash(purpose, input) }),
        audit: this.auditLog,
        log: {
          request: () => {},
          failure: (_id, _route, error) => {
            throw error;
          },
        },
      },
    }) as unknown as Pipeline<object>;
  }

  static async open(database: Database): Promise<House> {
    return new House(database, await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) }));
  }

  /** Another server process on the same database: nothing is shared but the database and the installation's key. */
  replica(database: Database): House {
    return new House(database, this.encryption);
  }

  /** `POST /v1/spaces`: the path is matched against the declared routes as an adapter would. */
  async send<Body = Readonly<Record<string, unknown>>>(
    person: Person | null,
    request: string,
    body?: unknown,
  ): Promise<Answer<Body>> {
    const [method, address] = request.split(' ') as [string, string];
    const url = new URL(address, 'https://vault.example');
    const { route, parameters } = this.#match(method, url.pathname);
    const bytes = body === undefined ? new Uint8Array() : utf8(JSON.stringify(body));
    const answer = await this.#pipeline.handle(route, {
      method: route.method,
      path: url.pathname,
      parameters,
      query: url.searchParams,
      headers: {
        host: url.host,
        ...(person === null ? {} : { authorization: `Bearer ${person.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
      },
      clientAddress: '192.0.2.7',
      secure: true,
      body: (limit) =>
        bytes.length > limit ? Promise.reject(new PipelineError('pipeline.body-too-large')) : Promise.resolve(bytes),
      signal: new AbortController().signal,
    });
    return { status: answer.status, body: (typeof answer.body === 'string' ? JSON.parse(answer.body) : {}) as Body };
  }

  /** Templates with fewer parameters first, so that a fixed segment wins over a parameter in its place. */
  #match(method: string, path: string): { route: Route<object>; parameters: Record<string, string> } {
    const segments = path.split('/');
    const candidates = this.#pipeline.routes.toSorted((left, right) => count(left.path, '{') - count(right.path, '{'));
    for (const route of candidates) {
      const template = route.path.split('/');
      if (route.method !== method || template.length !== segments.length) continue;
      if (!template.every((part, index) => part.startsWith('{') || part === segments[index])) continue;
      const names = template.flatMap((part, index) =>
        part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[index]!)]] : [],
      );
      return { route, parameters: Object.fromEntries(names) as Record<string, string> };
    }
    throw new Error(`no route ${method} ${path}`);
  }

  /** The first account; owner of its tenant. */
  async founder(): Promise<Person> {
    const token = await ensureSetupInvitation({
      clock: { now: () => Date.now() },
      database: this.database,
      encryption: this.encryption,
      memberships,
    });
    if (token === null) throw new Error('there is an account already');
    return this.#join(token, 'anna@example.org');
  }

  /** Another account in the inviter's tenant. */
  async member(inviter: Person, role: Role, email: string): Promise<Person> {
    const raised = await this.#proved(inviter);
    const invitation = await this.send<{ token: string }>(raised, 'POST /v1/invitations', { role });
    if (invitation.status !== 201) throw new Error(`invitation answered ${invitation.status}`);
    return this.#join(invitation.body.token, email);
  }

  readonly #secrets = new Map<Uuid, string>();
  readonly #tokens = new Map<Uuid, string>();

  /** The bearer token that counts now: proving the password replaces it. */
  current(person: Person): Person {
    return { ...person, token: this.#tokens.get(person.account) ?? person.token };
  }

  async #proved(person: Person): Promise<Person> {
    const authenticationSecret = this.#secrets.get(person.account)!;
    const answer = await this.send<{ token: string }>(this.current(person), 'POST /v1/reauthentication', {
      authenticationSecret,
    });
    if (answer.status !== 200) throw new Error(`reauthentication answered ${answer.status}`);
    this.#tokens.set(person.account, answer.body.token);
    return this.current(person);
  }

  async #join(invitation: string, email: string): Promise<Person> {
    const body = signUpBody(invitation, email);
    const answer = await this.send<SessionStarted>(null, 'POST /v1/accounts', body);
    if (answer.status !== 201) throw new Error(`sign-up answered ${answer.status} ${JSON.stringify(answer.body)}`);
    const { account, token } = answer.body;
    this.#secrets.set(account.id, body.authenticationSecret);
    this.#tokens.set(account.id, token!);
    return { account: account.id, tenant: account.tenant, token: token! };
  }

  /** A member of a tenant of their own, which nobody can be invited into yet. */
  async stranger(email: string, inviter: Person): Promise<Person> {
    const person = await this.member(inviter, 'member', email);
    const tenant = await this.database.transaction(asSystem, async (transaction) => {
      const other = await memberships.createTenant(transaction);
      await transaction
        .withTables<{ role_assignments: { tenant_id: Uuid; account_id: Uuid } }>()
        .deleteFrom('role_assignments')
        .where('account_id', '=', person.account)
        .execute();
      await memberships.add(transaction, { tenant: other, account: person.account, role: 'owner' });
      return other;
    });
    await this.send(person, 'DELETE /v1/sessions/current');
    const authenticationSecret = this.#secrets.get(person.account)!;
    const answer = await this.send<SessionStarted>(null, 'POST /v1/sessions', {
      email,
      authenticationSecret,
      transport: 'bearer',
    });
    if (answer.status !== 201 && answer.status !== 200) throw new Error(`sign-in answered ${answer.status}`);
    if (answer.body.account.tenant !== tenant) throw new Error('signed in to another tenant');
    return { account: person.account, tenant, token: answer.body.token! };
  }

  async space(owner: Person): Promise<Uuid> {
    const id = newUuid();
    const answer = await this.send(owner, 'POST /v1/spaces', spaceBody(id));
    if (answer.status !== 201) throw new Error(`space answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return id;
  }

  /** Writes the first version of a memory. */
  async remember(author: Person, space: Uuid, body = memoryBody()): Promise<typeof body & { written: Written }> {
    const answer = await this.send<Written>(author, `POST /v1/spaces/${space}/memories`, body);
    if (answer.status !== 201) throw new Error(`memory answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return { ...body, written: answer.body };
  }

  /** Writes the version after the expected one. */
  replace(author: Person, space: Uuid, id: string, expectedVersion: number, token = randomToken()) {
    const body = { expectedVersion, epoch: 1, token };
    return this.send<Written>(author, `PUT /v1/spaces/${space}/memories/${id}`, body);
  }

  async share(space: Uuid, person: Person, role: Role): Promise<void> {
    const { tenant, account } = person;
    await this.database.transaction(inTenant(tenant), (transaction) =>
      assignSpaceRole(transaction, { tenant, space, account, role }),
    );
  }

  /** The audit log's rows, oldest first. */
  async events(type?: string): Promise<AuditRow[]> {
    await this.auditLog.sequence();
    const source = this.auditLog.source();
    const entries = await source.entries(0, 1_000_000);
    return entries.flatMap(({ event }) =>
      typeof event === 'string' || (type !== undefined && event.type !== type)
        ? []
        : [{ ...event, details: JSON.parse(event.details) as AuditRow['details'] }],
    );
  }
}

const count = (text: string, part: string): number => text.split(part).length - 1;

/** Bytes that look like a Fernet token with so many blocks of ciphertext: all that this room can see of one. */
export function randomToken(blocks = 17): string {
  const token = new Uint8Array(57 + 16 * blocks);
  crypto.getRandomValues(token.subarray(0, Math.min(token.length, 1024)));
  token[0] = 0x80;
  return toBase64Url(token);
}

export const spaceBody = (id: Uuid = newUuid()) => ({
  id,
  sealedName: randomText(337),
  epoch: 1,
  wrappedKey: randomText(113),
});

export const memoryBody = (id: Uuid = newUuid()) => ({ id, epoch: 1, token: randomToken() });
