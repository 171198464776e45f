import type { Migration } from '@strongroom/kernel';

/**
 * The keys that openings are encrypted with, each wrapped under the key of its person; see opening-keys.ts. A rotation of keys wraps them anew and leaves the
 * openings alone. What was stored in the clear before is encrypted by a job, for which the index is there: it is empty once that is done.
 */
const openings = `
-- With the pseudonym goes the key, and none is made for one that is gone; the nil UUID stands for nobody.
create table audit_opening_keys (
  person uuid primary key,
  pseudonym uuid unique references audit_pseudonyms (pseudonym) on delete cascade,
  account_id uuid,
  sealed_key bytea not null,
  check (person = coalesce(pseudonym, '00000000-0000-0000-0000-000000000000') and (account_id is null) = (pseudonym is null))
);
create trigger audit_opening_keys_append_only before truncate or update of person, pseudonym, account_id on audit_opening_keys
  for each statement execute function audit_refuse_change();

drop trigger audit_openings_append_only on audit_openings;
create trigger audit_openings_append_only before truncate or update of event_id, field, tenant_id, subject on audit_openings
  for each statement execute function audit_refuse_change();
-- Encrypted once, and never written again.
create trigger audit_openings_sealed before update of opening on audit_openings for each row
  when (substring(old.opening from 1 for 1) <> '\\x00'::bytea or substring(new.opening from 1 for 1) <> '\\x01'::bytea)
  execute function audit_refuse_change();
create index audit_openings_clear on audit_openings (event_id) where substring(opening from 1 for 1) = '\\x00'::bytea;

revoke update, truncate, delete on audit_opening_keys from strongroom_app;
revoke update, truncate on audit_opening_keys from strongroom_system;
grant update (sealed_key) on audit_opening_keys to strongroom_system;
grant update (opening) on audit_openings to strongroom_system;
`;

export const openingsMigration: Migration = { name: '0008-openings', sql: openings };
