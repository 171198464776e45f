import type { Migration } from '@strongroom/kernel';

/**
 * Changes of the keys that sign the log. `size`: entries under the checkpoint that both signed; `former`: ids of the keys that it was the last one of; `proof`:
 * what others follow (key-succession.ts). Private halves that sign no more are deleted, and those that do are written anew when the keys above them are rotated.
 */
const keyHandovers = `
create table audit_key_handovers (
  size bigint primary key check (size > 0),
  former text[] not null,
  proof text not null,
  signed_at timestamptz not null
);
create trigger audit_key_handovers_append_only before update or delete or truncate on audit_key_handovers
  for each statement execute function audit_refuse_change();
revoke update, delete, truncate on audit_key_handovers from strongroom_app, strongroom_system;
revoke insert on audit_key_handovers from strongroom_app;

alter table audit_signing_keys drop constraint audit_signing_keys_algorithm_key;
alter table audit_signing_keys alter column private_key drop not null;
drop trigger audit_signing_keys_append_only on audit_signing_keys;
create trigger audit_signing_keys_append_only
  before delete or truncate or update of key_id, algorithm, verifier_key, created_at on audit_signing_keys
  for each statement execute function audit_refuse_change();
grant update (private_key) on audit_signing_keys to strongroom_system;
`;

export const keyHandoversMigration: Migration = { name: '0009-key-handovers', sql: keyHandovers };
