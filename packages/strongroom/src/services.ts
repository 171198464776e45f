/** What the handlers and jobs of all rooms use together. */
import type { AuditLog } from '@strongroom/audit-log';
import type { MembershipPort } from '@strongroom/authentication';
import type { ProfilePort } from '@strongroom/authorization';
import type { Encryption } from '@strongroom/encryption';
import type { Clock } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';

export interface Services {
  readonly clock: Clock;
  readonly database: Database;
  readonly encryption: Encryption;
  readonly memberships: MembershipPort;
  readonly profiles: ProfilePort;
  readonly auditLog: AuditLog;
  readonly openApiDocument: () => Readonly<Record<string, unknown>>;
}
