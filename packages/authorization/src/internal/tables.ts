import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Role } from '../roles.ts';

interface TenantRow {
  id: Uuid;
}

interface RoleAssignmentRow {
  /** A UUIDv7, so it also tells when the role was first given. */
  id: Uuid;
  tenant_id: Uuid;
  /** Null for the role in the tenant itself. */
  space_id: Uuid | null;
  account_id: Uuid;
  role: Role;
}

type AuthorizationTables = {
  tenants: TenantRow;
  role_assignments: RoleAssignmentRow;
};

export const tables = (transaction: Transaction) => transaction.withTables<AuthorizationTables>();
