import { type ErrorOptions, type ErrorTable, StrongroomError } from '@strongroom/kernel';

export const auditLogErrors = {
  'audit-log.undeclared-event': { status: 500, message: 'An audit event was to be written that no manifest declares.' },
  'audit-log.person-in-details': {
    status: 500,
    message: 'The open fields of an audit event name a person; people belong into actor, subjects or object.',
  },
  'audit-log.reserved-event': {
    status: 500,
    message: 'An audit event was to be written that only the audit log itself may write.',
  },
  'audit-log.unknown-hold': { status: 404, message: 'There is no such hold, or it was released.' },
  'audit-log.unknown-person': { status: 404, message: 'The audit log knows nobody by that id.' },
  'audit-log.event-too-large': { status: 500, message: 'An audit event is larger than a log entry may be.' },
  'audit-log.invalid-note': { status: 400, message: 'That is not a signed note of the expected form.' },
  'audit-log.invalid-key': { status: 400, message: 'That is not a verifier key of a known kind.' },
  'audit-log.invalid-proof': { status: 400, message: 'No such proof exists for these positions and sizes.' },
  'audit-log.invalid-entry': { status: 400, message: 'A log entry is not of the documented form.' },
  'audit-log.unknown-tile': { status: 404, message: 'The log has no such tile.' },
  'audit-log.no-checkpoint': { status: 404, message: 'The log is still empty: no checkpoint was signed yet.' },
  'audit-log.unknown-entry': { status: 404, message: 'The log has no such entry.' },
  'audit-log.invalid-policy': { status: 400, message: 'That is not a policy of the documented form.' },
  'audit-log.invalid-bundle': { status: 400, message: 'That is not an audit bundle of the documented form.' },
  'audit-log.keys-changed': {
    status: 409,
    message: 'The keys of the log changed while somebody was forgotten in it. Write the bundle again.',
  },
  'audit-log.invalid-tiles': { status: 400, message: 'The folder is not a C2SP tile log.' },
  'audit-log.published-differs': {
    status: 409,
    message: 'The folder shows another history than this log. Nothing was published.',
  },
  'audit-log.invalid-sink': { status: 400, message: 'Events cannot be delivered there.' },
  'audit-log.sink-exists': { status: 409, message: 'There is already a sink of that name.' },
  'audit-log.unknown-sink': { status: 404, message: 'There is no sink of that name.' },
  'audit-log.undelivered': { status: 502, message: 'The receiver did not acknowledge what it was sent.' },
  'audit-log.unwitnessed': { status: 502, message: 'A witness did not cosign the checkpoint.' },
  'audit-log.witness-state': {
    status: 500,
    message: 'The state of the witness cannot be used. It never signs without knowing what it signed before.',
  },
  'audit-log.damaged': {
    status: 500,
    message:
      'The stored audit log contradicts its last signed checkpoint. Nothing more is signed until that is resolved.',
  },
} as const satisfies ErrorTable;

export type AuditLogErrorCode = keyof typeof auditLogErrors;

export class AuditLogError extends StrongroomError<AuditLogErrorCode> {
  constructor(code: AuditLogErrorCode, options?: ErrorOptions) {
    super(auditLogErrors, code, options);
  }
}
