import type { Migration } from '@strongroom/kernel';
import { tenantTable } from '@strongroom/storage';

/**
 * Tenants themselves are a table of the installation: it holds ids only, and sign-up adds to it before there is a tenant to act in.
 *
 * `role_assignments` is a tenant's, with one opening: in the installation scope, where sign-up and sign-in run, the roles *in
 * tenants* can be read and added, since that is where an account's tenants are written down. Roles in spaces cannot.
 * An account has at most one role in a tenant and one in each space.
 */
const rolesPerTenantAndSpace = `
create table tenants (
  id uuid primary key
);

create table role_assignments (
  id uuid primary key,
  tenant_id uuid not null references tenants (id) on delete cascade,
  space_id uuid,
  account_id uuid not null,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer', 'guest'))
);
create unique index role_assignments_in_tenant on role_assignments (account_id, tenant_id) where space_id is null;
create unique index role_assignments_in_space
  on role_assignments (tenant_id, account_id, space_id) where space_id is not null;
create index role_assignments_of_tenant on role_assignments (tenant_id, id) where space_id is null;
create index role_assignments_of_space on role_assignments (tenant_id, space_id, id) where space_id is not null;
${tenantTable('role_assignments')}
create policy role_assignments_before_tenant on role_assignments for select to strongroom_app
  using (space_id is null and nullif(current_setting('strongroom.tenant', true), '') is null);
create policy role_assignments_at_sign_up on role_assignments for insert to strongroom_app
  with check (space_id is null and nullif(current_setting('strongroom.tenant', true), '') is null);
`;

export const migrations: readonly Migration[] = [{ name: '0001-roles', sql: rolesPerTenantAndSpace }];
