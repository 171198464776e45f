/** A whole vault for tests of this room: the real pipeline, storage, encryption, limiter, audit log and authorization, without a socket. */
import { join } from 'node:path';
import { catalogue, createAuditLog, manifest as auditLogManifest, readReceipt } from '@strongroom/audit-log';
import {
  authorizer,
  manifest as authorizationManifest,
  memberships,
  permissionTable,
  type AuthorizationServices,
} from '@strongroom/authorization';
import {
  createEncryption,
  createIndexRotations,
  fileSlot,
  type IndexRotations,
  manifest as encryptionManifest,
} from '@strongroom/encryption';
import { newUuid, toBase64Url, utf8, type Uuid } from '@strongroom/kernel';
import { departures, manifest as memoriesManifest } from '@strongroom/memories';
import { createPipeline, type AuditEvent, type Route } from '@strongroom/pipeline';
import { createLimiter, manifest as rateLimitingManifest } from '@strongroom/rate-limiting';
import { asSystem, type Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { randomText, signUpBody } from '@strongroom/testing/sign-up';
import { sql, type KyselyPlugin } from 'kysely';
import { encryptedTables, rotatedIndexes } from './internal/codecs.ts';
import { manifest } from './manifest.ts';
import { profiles } from './profiles.ts';
import type { AccountLifeServices, Role } from './services.ts';
import { sessionEndings, sessionPort } from './session-port.ts';
import { ensureSetupInvitation } from './setup.ts';
import type { Invitation, Reauthenticated, SessionStarted } from './wire.ts';

const rooms = [manifest, authorizationManifest, memoriesManifest];
/** What the database must know. */
export const manifests = [encryptionManifest, ...rooms, rateLimitingManifest, auditLogManifest];

const tables = [...rooms, rateLimitingManifest]
  .flatMap(({ dataMap }) => Object.keys(dataMap ?? {}))
  .toReversed()
  .concat('single_use_secrets', 'blind_index_rotations', 'audit_opening_keys', 'subject_keys', 'key_nodes', 'key_tree');

/** Permissions of the rooms above, which the table knows and these tests do not serve. */
const others = {
  name: 'other-rooms',
  permissions: Object.fromEntries(
    Object.keys(permissionTable)
      .filter((name) => !rooms.some(({ permissions }) => Object.hasOwn(permissions ?? {}, name)))
      .map((name) => [name, 'Of another room.']),
  ),
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Request {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Person {
  readonly email: string;
  readonly account: Uuid;
  readonly secret: string;
  readonly session: Uuid;
  readonly publicKey: string;
  readonly recoverySecret: string;
  /** Changes whenever the person proves their password. */
  token: string;
}

export class Vault {
  readonly database: Database;
  readonly services: AccountLifeServices;
  readonly indexRotations: IndexRotations;
  /** What the pipeline gave to the audit log. */
  readonly events: AuditEvent[] = [];
  /** Milliseconds; tests move it forward. */
  time = Date.UTC(2026, 10, 22, 12);
  /** Statements since the last `countStatements`. */
  #statements = 0;
  readonly #pipeline: ReturnType<typeof createPipeline<AccountLifeServices & AuthorizationServices>>;

  private constructor(database: Database, encryption: AccountLifeServices['encryption']) {
    const count: KyselyPlugin = {
      transformQuery: ({ node }) => {
        this.#statements += 1;
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    };
    this.database = {
      engine: database.engine,
      warnings: database.warnings,
      transaction: (scope, work) => database.transaction(scope, (transaction) => work(transaction.withPlugin(count))),
      close: () => database.close(),
    };
    const clock = { now: () => this.time };
    this.indexRotations = createIndexRotations({
      database,
      encryption,
      clock,
      tables: encryptedTables,
      indexes: rotatedIndexes,
      rowsAtOnce: 2,
    });
    this.services = {
      clock,
      database: this.database,
      encryption,
      indexRotations: this.indexRotations,
      memberships,
      departures: departures({ clock }),
      receipts: { receipt: readReceipt },
      subjectErasure: { shred: (subjects) => encryption.keyTree.shred(database, subjects) },
    };
    const services = {
      ...this.services,
      departures: departures({ clock }),
      profiles: profiles({ encryption }),
      sessionEndings,
    };
    const events = catalogue([...rooms, auditLogManifest]);
    const auditLog = createAuditLog({ clock, database: this.database, encryption, events, nudge: () => {} });
    this.#pipeline = createPipeline({
      routes: [...manifest.routes, ...authorizationManifest.routes!, ...memoriesManifest.routes] as Route<
        typeof services
      >[],
      manifests: [...rooms, others],
      services,
      database: this.database,
      clock,
      ports: {
        sessions: sessionPort(this.services),
        authorizer: authorizer([...rooms, others]),
        limiter: createLimiter({
          database: this.database,
          clock,
          hash: (purpose, input) => encryption.keyedHash(purpose, input),
        }),
        audit: {
          append: async (transaction, event) => {
            await auditLog.append(transaction, event);
            this.events.push(event);
          },
          committed: () => {},
        },
        log: {
          request: () => {},
          failure: (_id, _route, error) => {
            throw error;
          },
        },
      },
    });
  }

  /** An empty vault: what the database held is gone. */
  static async open(database: Database): Promise<Vault> {
    await database.transaction(asSystem, async (transaction) => {
      for (const table of tables) await sql`delete from ${sql.table(table)}`.execute(transaction);
    });
    return new Vault(database, await createEncryption({ slot: fileSlot(join(temporaryFolder(), 'root')) }));
  }

  /** How many statements `work` sends. */
  async countStatements(work: () => Promise<unknown>): Promise<number> {
    this.#statements = 0;
    await work();
    return this.#statements;
  }

  /** `route`: method and path template, as declared. */
  async send(route: string, { path = {}, query = {}, body, headers = {} }: Request = {}): Promise<Answer> {
    const declared = this.#pipeline.routes.find((candidate) => `${candidate.method} ${candidate.path}` === route);
    if (declared === undefined) throw new Error(`no route ${route}`);
    const bytes = body === undefined ? new Uint8Array() : utf8(JSON.stringify(body));
    const answer = await this.#pipeline.handle(declared, {
      method: declared.method,
      path: declared.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => path[name]!),
      parameters: path,
      query: new URLSearchParams(query),
      headers: {
        host: 'vault.example',
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
        ...headers,
      },
      clientAddress: '192.0.2.7',
      secure: true,
      body: () => Promise.resolve(bytes),
      signal: new AbortController().signal,
    });
    return {
      status: answer.status,
      headers: answer.headers,
      body: typeof answer.body === 'string' ? (JSON.parse(answer.body) as Answer['body']) : {},
    };
  }

  async setupToken(): Promise<string> {
    const token = await ensureSetupInvitation(this.services);
    if (token === null) throw new Error('there is an account already');
    return token;
  }

  /** Signs up with a bearer session. */
  async join(invitation: string, email: string): Promise<Person> {
    const body = signUpBody(invitation, email);
    const answer = await this.send('POST /v1/accounts', { body });
    if (answer.status !== 201) throw new Error(`sign-up answered ${answer.status} ${String(answer.body['code'])}`);
    const { session, token, account } = answer.body as SessionStarted;
    return {
      email,
      account: account.id,
      secret: body.authenticationSecret,
      recoverySecret: body.recoveryAuthenticationSecret,
      session: session.id,
      publicKey: body.record.publicKey,
      token: token!,
    };
  }

  async founder(email = 'anna@example.org'): Promise<Person> {
    return this.join(await this.setupToken(), email);
  }

  /** Proves the person's password: their session may do what asks for that, under its new token. */
  async proved(person: Person): Promise<Person> {
    const body = { authenticationSecret: person.secret };
    const answer = await this.send('POST /v1/reauthentication', { body, headers: bearer(person.token) });
    if (answer.status !== 200) throw new Error(`reauthentication answered ${answer.status}`);
    person.token = (answer.body as Reauthenticated).token!;
    return person;
  }

  async invitation(inviter: Person, role: Role): Promise<string> {
    const answer = await this.send('POST /v1/invitations', { body: { role }, headers: bearer(inviter.token) });
    if (answer.status !== 201) throw new Error(`invitation answered ${answer.status} ${String(answer.body['code'])}`);
    return (answer.body as Invitation).token;
  }

  async member(inviter: Person, role: Role, email: string): Promise<Person> {
    return this.join(await this.invitation(await this.proved(inviter), role), email);
  }
}

/** A space with random bytes for name and key, and so many memories in it. */
export async function spaceOf(vault: Vault, person: Person, memories = 0): Promise<Uuid> {
  const id = newUuid();
  const headers = bearer(person.token);
  const body = { id, sealedName: randomText(337), epoch: 1, wrappedKey: randomText(113) };
  const created = await vault.send('POST /v1/spaces', { body, headers });
  if (created.status !== 201) throw new Error(`space answered ${created.status}`);
  for (let number = 0; number < memories; number += 1) await rememberIn(vault, person, id);
  return id;
}

export async function rememberIn(vault: Vault, person: Person, space: Uuid): Promise<Uuid> {
  const id = newUuid();
  const token = new Uint8Array(73);
  crypto.getRandomValues(token);
  token[0] = 0x80;
  const body = { id, epoch: 1, token: toBase64Url(token) };
  const route = 'POST /v1/spaces/{space}/memories';
  const answer = await vault.send(route, { path: { space }, body, headers: bearer(person.token) });
  if (answer.status !== 201) throw new Error(`memory answered ${answer.status} ${String(answer.body['code'])}`);
  return id;
}

export async function shareWith(vault: Vault, owner: Person, space: Uuid, person: Person, role: Role): Promise<void> {
  const body = { role, keys: [{ epoch: 1, sealedKey: randomText(81) }] };
  const path = { space, account: person.account };
  const route = 'PUT /v1/spaces/{space}/members/{account}';
  const answer = await vault.send(route, { path, body, headers: bearer(owner.token) });
  if (answer.status !== 201) throw new Error(`sharing answered ${answer.status} ${String(answer.body['code'])}`);
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
