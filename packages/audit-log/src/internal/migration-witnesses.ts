import type { Migration } from '@strongroom/kernel';

/** Cosignatures beside the checkpoints they are for, and the policy that says whose are wanted; the newest row of it counts. */
const witnesses = `
create table audit_cosignatures (
  size bigint not null,
  key_id text not null,
  line text not null,
  primary key (size, key_id)
);
create trigger audit_cosignatures_append_only before update or truncate on audit_cosignatures
  for each statement execute function audit_refuse_change();

create table audit_witness_policies (
  policy_id uuid primary key,
  policy text not null,
  set_at timestamptz not null
);
create trigger audit_witness_policies_append_only before update or delete or truncate on audit_witness_policies
  for each statement execute function audit_refuse_change();

revoke update, truncate on audit_cosignatures from strongroom_app, strongroom_system;
revoke insert, delete on audit_cosignatures from strongroom_app;
revoke update, delete, truncate on audit_witness_policies from strongroom_app, strongroom_system;
revoke select, insert on audit_witness_policies from strongroom_app;
`;

export const witnessesMigration: Migration = { name: '0003-witnesses', sql: witnesses };
