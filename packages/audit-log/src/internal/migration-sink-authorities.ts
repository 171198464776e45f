import type { Migration } from '@strongroom/kernel';

/** Whose certificates a webhook may have, in PEM. NULL, as for files and for those from before: the authorities that Node knows. */
const sinkAuthorities = `
alter table audit_sinks add column authorities text check (kind = 'webhook' or authorities is null);
`;

export const sinkAuthoritiesMigration: Migration = { name: '0011-sink-authorities', sql: sinkAuthorities };
