/**
 * Every table whose changes the audit log accounts for, and of the others why not. One list for all rooms, since most of them are migrated before the
 * audit log or know nothing of it. A test compares it with the data maps.
 */
import { coveredTable } from '@strongroom/audit-log';
import type { Manifest, Migration } from '@strongroom/kernel';

interface Coverage {
  /** The primary key. */
  readonly key: readonly string[];
  /** Columns that count. */
  readonly columns: readonly string[];
  /** Columns that do not, and why. */
  readonly free?: Readonly<Record<string, string>>;
  /** Rows that count, given the name of the record; all without it. */
  readonly rows?: (row: string) => string;
}

/** Never edited, but for what is free: a migration is made of it. */
const first: Readonly<Record<string, Coverage>> = {
  accounts: {
    key: ['id'],
    columns: [
      'id',
      'email',
      'email_index',
      'email_index_next',
      'display_name',
      'verifier',
      'recovery_verifier',
      'salt',
      'parameters',
      'public_key',
      'private_key',
      'account_key_by_password',
      'account_key_by_recovery',
      'created_at',
    ],
  },
  sessions: {
    key: ['id'],
    columns: [
      'id',
      'account_id',
      'tenant_id',
      'token_hash',
      'transport',
      'device_name',
      'created_at',
      'expires_at',
      'reauthenticated_until',
    ],
    free: {
      last_seen_at: 'Moves with use, which is no event.',
      idle_expires_at: 'Moves with use, and never beyond expires_at.',
    },
  },
  invitations: {
    key: ['id'],
    columns: ['id', 'tenant_id', 'role', 'invited_by', 'secret_hash', 'created_at', 'expires_at'],
  },
  // Whoever is added here has their keys destroyed.
  deleted_accounts: { key: ['account_id'], columns: ['account_id', 'deleted_at'] },
  tenants: { key: ['id'], columns: ['id'] },
  role_assignments: { key: ['id'], columns: ['id', 'tenant_id', 'space_id', 'account_id', 'role'] },
  audit_pseudonyms: { key: ['account_id'], columns: ['account_id', 'pseudonym'] },
  spaces: {
    key: ['id', 'tenant_id'],
    columns: ['tenant_id', 'id', 'sealed_name', 'epoch', 'created_by', 'created_at', 'rotation_due'],
    free: { change_sequence: 'Counts with every write of a memory, whose own row holds the number.' },
  },
  space_keys: {
    key: ['space_id', 'account_id', 'epoch', 'tenant_id'],
    columns: ['tenant_id', 'space_id', 'account_id', 'epoch', 'wrapped_key', 'created_at', 'sender_id'],
  },
  memories: {
    key: ['id', 'space_id', 'tenant_id'],
    columns: ['tenant_id', 'space_id', 'id', 'version', 'epoch', 'sequence', 'changed_at', 'deleted_at'],
    // A memory as it was first written repeats what its version says, which cannot go without it, and that one is covered. Half the cost of an import.
    rows: (row) => `${row}.version > 1 or ${row}.deleted_at is not null`,
  },
  memory_versions: {
    key: ['memory_id', 'version', 'space_id', 'tenant_id'],
    columns: [
      'tenant_id',
      'space_id',
      'memory_id',
      'version',
      'epoch',
      'sequence',
      'token',
      'size',
      'author_id',
      'created_at',
    ],
  },
};

export const coveredTables = first;

const OWN_COVER = 'The audit log covers it in a migration of its own.';
const PROVED = 'What is in it is proved by the tree and its signatures.';
const KEYS =
  'Wrapped keys: one that is changed opens nothing, and one that is put back does not either once its parent was replaced.';
const PROGRESS = 'Progress of work that may be done again.';

/** Tables whose changes nobody compares with events. */
export const uncoveredTables: Readonly<Record<string, string>> = {
  schema_migrations: 'Checked against the program at every start.',
  single_use_secrets: 'Short-lived, and its hashes are made with a key that is not in the database.',
  jobs: PROGRESS,
  installation: 'Its one row is checked with the root key at every start.',
  key_tree: KEYS,
  key_nodes: KEYS,
  subject_keys: KEYS,
  shredded_subjects: 'Keyed hashes that only a restore reads; rows cannot be changed or deleted.',
  key_rotations: PROGRESS,
  blind_index_rotations: PROGRESS,
  column_migrations: PROGRESS,
  column_migration_steps: PROGRESS,
  rate_limits: 'Counters of minutes.',
  audit_witness_policies: OWN_COVER,
  audit_sinks: OWN_COVER,
  audit_events: PROVED,
  audit_leaves: PROVED,
  audit_tiles: PROVED,
  audit_checkpoints: PROVED,
  audit_cosignatures: PROVED,
  audit_openings: 'Each opens a commitment in an entry; a missing one must have its redaction.',
  audit_opening_keys: 'Sealed keys: one that is changed opens nothing.',
  audit_key_handovers: PROVED,
  audit_removals: 'Verification compares it with the entries of the runs.',
  audit_inbox: 'Events on their way into the tree.',
  audit_changes: 'The ledger of these comparisons itself.',
  audit_rows: 'The ledger of these comparisons itself.',
  audit_sink_states: 'Places in the log, which move with every delivery.',
  audit_dead_letters: 'Places in the log; setting one aside is an event.',
  audit_signing_keys: 'What other keys sign is refused by whoever knows the right ones.',
};

const migration = (name: string, tables: Readonly<Record<string, Coverage>>): Migration => ({
  name,
  sql: Object.entries(tables)
    .map(([table, { key, ...counted }]) => coveredTable(table, key, counted))
    .join('\n'),
});

export const manifest: Manifest = { name: 'coverage', migrations: [migration('0001-rooms', first)] };
