import { defineDataMap, operational, secret, subject } from '@strongroom/kernel';
import { columnMigrationTables } from './migration/schema.ts';
import { indexRotationTables } from './index-rotation/schema.ts';
import { rotationTables } from './rotation/schema.ts';

export const dataMap = defineDataMap({
  key_tree: {
    scope: 'installation',
    columns: {
      version: operational,
      pending_version: operational,
      acknowledged_version: operational,
      keyring_revision: operational,
      holder: operational,
      lease_until: operational,
      single: operational,
    },
  },
  key_nodes: {
    scope: 'installation',
    columns: {
      id: operational,
      parent: operational,
      level: operational,
      wrapped: secret('encrypted'),
      version: operational,
      children: operational,
      next_wrapped: secret('encrypted'),
      frozen: operational,
    },
  },
  subject_keys: {
    scope: 'installation',
    columns: {
      subject,
      leaf: operational,
      wrapped: secret('encrypted'),
      version: operational,
      next_wrapped: secret('encrypted'),
      shred_hash: secret('hashed'),
    },
  },
  // Keyed hashes of ids: who was erased can be recognised by who brings the id and the root, and is listed for nobody.
  shredded_subjects: {
    scope: 'installation',
    columns: { hash: secret('hashed'), version: operational, shredded_at: operational },
  },
  ...rotationTables,
  ...indexRotationTables,
  ...columnMigrationTables,
});
