import { SERVING_ROLE, SYSTEM_ROLE } from './internal/engine.ts';

/** PostgreSQL documentation §4.1.1, without the characters that would need quoting. */
const PLAIN_IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Statements for a migration, to follow the `create table` of a table with a `tenant_id uuid not null` column. From then on
 * the serving role sees and writes rows of its transaction's tenant only, and the role of jobs those of all tenants; the owner is no
 * exception. A later migration that changes rows starts with `set local role strongroom_system;`.
 */
export function tenantTable(name: string): string {
  if (!PLAIN_IDENTIFIER.test(name)) throw new TypeError('tenantTable: name must be a plain identifier');
  // The sub-select is evaluated once per query; an unset tenant gives null, which equals nothing.
  const own = `tenant_id = (select nullif(current_setting('strongroom.tenant', true), '')::uuid)`;
  return `
alter table ${name} enable row level security;
alter table ${name} force row level security;
create policy ${name}_of_tenant on ${name} to ${SERVING_ROLE} using (${own}) with check (${own});
create policy ${name}_of_system on ${name} to ${SYSTEM_ROLE} using (true) with check (true);
`;
}
