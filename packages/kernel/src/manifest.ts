import type { DataMap } from './data-map.ts';

/** One step of a room's schema. Never edited once released: its checksum is stored with it. */
export interface Migration {
  /** `0001-accounts`: sorts in the order of application, within the room. */
  readonly name: string;
  /** Statements that PostgreSQL 15 and PGlite both understand, applied in one transaction. */
  readonly sql: string;
}

/**
 * What kind of thing an event records:
 * - `sign-in`: sessions begin, end or are proved again, failed attempts included;
 * - `security`: accounts, credentials and keys change, or something looks like an attack;
 * - `permission`: somebody may do more or less than before;
 * - `data-access`: data is read, exported or decrypted;
 * - `data-change`: data is stored, changed or deleted;
 * - `policy`: configuration and rules change;
 * - `administration`: the operator's own work and that of jobs;
 * - `tool-call`: an assistant acts for somebody.
 */
export const auditEventClasses = [
  'sign-in',
  'security',
  'permission',
  'data-access',
  'data-change',
  'policy',
  'administration',
  'tool-call',
] as const;

export type AuditEventClass = (typeof auditEventClasses)[number];

/** Which period of the audit log's retention holds for an event: it is kept as long as the longest purpose it serves. */
export type AuditRetention = 'security' | 'access' | 'operational';

/** Class and activity of OCSF 1.9 under which an event is exported. The audit log knows the numbers and what each class requires. */
export type OcsfActivity =
  | `authentication/${'logon' | 'logoff' | 'preauth'}`
  | `authorize-session/${'assign-privileges' | 'assign-groups'}`
  | `user-management/${
      | 'create'
      | 'update'
      | 'delete'
      | 'enable'
      | 'disable'
      | 'lock'
      | 'unlock'
      | 'password-change'
      | 'password-reset'
      | 'enable-mfa-factors'
      | 'disable-mfa-factors'
      | 'assign-privileges'
      | 'remove-privileges'
      | 'assign-roles'
      | 'remove-roles'
      | 'add-programmatic-credentials'
      | 'remove-programmatic-credentials'}`
  | `role-management/${'create' | 'update' | 'delete' | 'assign-privileges' | 'remove-privileges'}`
  | `entity-management/${'create' | 'read' | 'update' | 'delete' | 'enable' | 'disable'}`
  | `datastore-activity/${'read' | 'update' | 'query' | 'write' | 'create' | 'delete' | 'list' | 'encrypt' | 'decrypt'}`
  | `api-activity/${'create' | 'read' | 'update' | 'delete' | 'other'}`;

/** What an audit event of this type means: in words for the person who reads the log, in terms for what processes it. */
export interface AuditEventDeclaration {
  readonly title: string;
  /** What `audit search --class` finds. */
  readonly class: AuditEventClass;
  readonly retention: AuditRetention;
  readonly ocsf: OcsfActivity;
}

/** Work that runs beside requests, on one replica at a time. */
export interface Job<Services> {
  /** Unique over all rooms, for example `authentication.purge-sessions`. */
  readonly name: string;
  /** Seconds between the end of one run and the start of the next. */
  readonly everySeconds: number;
  readonly run: (services: Services, signal: AbortSignal) => Promise<void>;
}

/**
 * The one door of every room: a plain object. The composition root joins manifests by reading them.
 * `Route` is the pipeline's route type; rooms beneath the pipeline have none.
 */
export interface Manifest<Route = never, Services = unknown> {
  readonly name: string;
  readonly migrations?: readonly Migration[];
  readonly dataMap?: DataMap;
  /** Permission → what holding it allows, in one sentence. */
  readonly permissions?: Readonly<Record<string, string>>;
  /** Event type → declaration. */
  readonly auditEvents?: Readonly<Record<string, AuditEventDeclaration>>;
  readonly routes?: readonly Route[];
  readonly jobs?: readonly Job<Services>[];
}
