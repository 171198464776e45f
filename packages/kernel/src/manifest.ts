import type { DataMap } from './data-map.ts';

/** One step of a room's schema. Never edited once released: its checksum is stored with it. */
export interface Migration {
  /** `0001-accounts`: sorts in the order of application, within the room. */
  readonly name: string;
  /** Statements that PostgreSQL 15 and PGlite both understand, applied in one transaction. */
  readonly sql: string;
}

/** What an audit event of this type means, in words for the person who reads the log. */
export interface AuditEventDeclaration {
  readonly title: string;
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
