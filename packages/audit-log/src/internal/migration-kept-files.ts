import type { Migration } from '@strongroom/kernel';

/** Of a sink that writes files: how many it keeps. NULL, as for those from before: all of them. */
const keptFiles = `
alter table audit_sinks add column keep_files integer check (keep_files >= 2);
`;

export const keptFilesMigration: Migration = { name: '0010-kept-files', sql: keptFiles };
