/** What the handlers and jobs of all rooms use together. */
import type { AuditLog, Sinks } from '@strongroom/audit-log';
import type { MembershipPort, People, ReceiptPort, SubjectErasurePort } from '@strongroom/authentication';
import type { ProfilePort, SessionEndingPort } from '@strongroom/authorization';
import type { ColumnMigration, Encryption, IndexRotations, Rotations } from '@strongroom/encryption';
import type { Clock } from '@strongroom/kernel';
import type { Departures } from '@strongroom/memories';
import type { Database } from '@strongroom/storage';
import type { Backups } from './backups.ts';
import type { Keys } from './keys.ts';

export interface Services {
  readonly clock: Clock;
  readonly database: Database;
  readonly encryption: Encryption;
  readonly memberships: MembershipPort;
  readonly profiles: ProfilePort;
  readonly people: People;
  readonly sessionEndings: SessionEndingPort;
  readonly departures: Departures;
  readonly receipts: ReceiptPort;
  readonly subjectErasure: SubjectErasurePort;
  readonly auditLog: AuditLog;
  readonly auditSinks: Sinks;
  readonly backups: Backups;
  readonly rotations: Rotations;
  readonly indexRotations: IndexRotations;
  readonly columnMigrations: readonly ColumnMigration[];
  readonly keys: Keys;
  readonly openApiDocument: () => Readonly<Record<string, unknown>>;
}
