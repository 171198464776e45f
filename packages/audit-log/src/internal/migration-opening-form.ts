import type { Migration } from '@strongroom/kernel';

/** What lies in the clear may only become what is written now: form 02 (opening.ts), where it was 01 before. */
const openingForm = `
drop trigger audit_openings_sealed on audit_openings;
create trigger audit_openings_sealed before update of opening on audit_openings for each row
  when (substring(old.opening from 1 for 1) <> '\\x00'::bytea or substring(new.opening from 1 for 1) <> '\\x02'::bytea)
  execute function audit_refuse_change();
`;

export const openingFormMigration: Migration = { name: '0012-opening-form', sql: openingForm };
