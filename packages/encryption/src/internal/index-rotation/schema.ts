/** What `blind_index_rotations` of rotation/schema.ts says besides since indexes are rotated by a job: how far it is, how fast it may go, how it ended. */
import { operational, type DataMap, type Migration } from '@strongroom/kernel';

/** `total`, `seen` and `wrong_in_pass` are of the present pass, `changed` of the whole rotation. `outcome` is known from the switch or the cancellation on. */
const progress = `
alter table blind_index_rotations
  add column share double precision not null default 1 check (share > 0 and share <= 1),
  add column total bigint not null default 0,
  add column seen bigint not null default 0,
  add column wrong_in_pass bigint not null default 0,
  add column changed bigint not null default 0,
  add column outcome text check (outcome in ('complete', 'cancelled')),
  add column failure text,
  add column started_at timestamptz,
  add column finished_at timestamptz;
`;

/** Its name sorts behind the migration that makes the table. */
export const indexRotationSchema: Migration = { name: '0004-index-rotation-progress', sql: progress };

export const indexRotationTables = {
  blind_index_rotations: {
    scope: 'installation',
    columns: {
      table_name: operational,
      column_name: operational,
      live_column: operational,
      live_version: operational,
      other_column: operational,
      other_version: operational,
      state: operational,
      cursor: operational,
      share: operational,
      total: operational,
      seen: operational,
      wrong_in_pass: operational,
      changed: operational,
      outcome: operational,
      failure: operational,
      started_at: operational,
      finished_at: operational,
      changed_at: operational,
    },
  },
} as const satisfies DataMap;
