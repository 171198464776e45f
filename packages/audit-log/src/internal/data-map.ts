import { defineDataMap, operational, personal, secret, subject } from '@strongroom/kernel';

const recorded = {
  purpose: 'To prove who did what, and to find out what happened after an incident',
  lawfulBasis: 'legitimate-interests',
  retention:
    'for as many days as `audit retention show` says for the type of the event, longer while a hold keeps it; the person behind a pseudonym can be forgotten before',
  protection: 'clear',
} as const;

export const dataMap = defineDataMap({
  audit_events: {
    scope: 'tenant',
    columns: {
      event_id: operational,
      occurred_at: operational,
      type: personal({ ...recorded, category: 'user.behavior', subject: 'actor' }),
      outcome: operational,
      reason: operational,
      actor_kind: operational,
      actor: subject,
      actor_via: operational,
      session_id: personal({ ...recorded, category: 'user.device', subject: 'actor' }),
      tenant_id: operational,
      request_id: operational,
      address_commitment: operational,
      object_type: operational,
      object_id: operational,
      subjects: subject,
      details: operational,
    },
  },
  // An event for a second or so, until it has its place in the log. Only jobs read it.
  audit_inbox: {
    scope: 'installation',
    columns: {
      event: personal({ ...recorded, category: 'user.behavior', subject: 'subject' }),
      subject,
      opening: personal({ ...recorded, category: 'user.device', subject: 'subject', protection: 'encrypted' }),
      transaction: operational,
    },
  },
  // What was done to the rows of covered tables: keys and digests.
  audit_changes: {
    scope: 'installation',
    columns: {
      transaction: operational,
      table_name: operational,
      key: operational,
      digest: operational,
      changed_at: operational,
    },
  },
  audit_rows: {
    scope: 'installation',
    columns: {
      table_name: operational,
      key: operational,
      digest: operational,
      changed_at: operational,
      event_id: operational,
    },
  },
  audit_openings: {
    scope: 'tenant',
    columns: {
      event_id: operational,
      field: operational,
      tenant_id: operational,
      subject,
      opening: personal({ ...recorded, category: 'user.device', subject: 'subject', protection: 'encrypted' }),
    },
  },
  // Of pseudonyms; of nobody under the nil UUID.
  audit_opening_keys: {
    scope: 'installation',
    columns: { person: subject, pseudonym: subject, account_id: subject, sealed_key: secret('encrypted') },
  },
  audit_leaves: { scope: 'installation', columns: { index: operational, event_id: operational, hash: operational } },
  audit_tiles: {
    scope: 'installation',
    columns: { level: operational, index: operational, hashes: operational, root: operational },
  },
  // Places in the log, and the run that removed what stood there.
  audit_removals: {
    scope: 'installation',
    columns: { from_index: operational, to_index: operational, event_id: operational },
  },
  audit_checkpoints: {
    scope: 'installation',
    columns: { size: operational, root: operational, signed_at: operational, note: operational },
  },
  audit_cosignatures: { scope: 'installation', columns: { size: operational, key_id: operational, line: operational } },
  audit_witness_policies: {
    scope: 'installation',
    columns: { policy_id: operational, policy: operational, set_at: operational },
  },
  audit_sinks: {
    scope: 'installation',
    columns: {
      sink_id: operational,
      name: operational,
      kind: operational,
      format: operational,
      target: operational,
      with_addresses: operational,
      rotate_bytes: operational,
      rotate_daily: operational,
      keep_files: operational,
      authorities: operational,
      added_at: operational,
    },
  },
  audit_sink_states: {
    scope: 'installation',
    columns: {
      sink_id: operational,
      secret: secret('encrypted'),
      next_index: operational,
      batch_end: operational,
      failures: operational,
      failing_since: operational,
      next_attempt: operational,
      problem: operational,
      delivered_at: operational,
    },
  },
  audit_dead_letters: {
    scope: 'installation',
    columns: {
      sink_id: operational,
      from_index: operational,
      to_index: operational,
      problem: operational,
      dead_at: operational,
      is_due: operational,
    },
  },
  audit_signing_keys: {
    scope: 'installation',
    columns: {
      key_id: operational,
      algorithm: operational,
      verifier_key: operational,
      private_key: secret('encrypted'),
      created_at: operational,
    },
  },
  audit_key_handovers: {
    scope: 'installation',
    columns: { size: operational, former: operational, proof: operational, signed_at: operational },
  },
  audit_pseudonyms: { scope: 'installation', columns: { account_id: subject, pseudonym: subject } },
});
