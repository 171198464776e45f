/** What travels between clients and the audit log. Byte strings are base64url without padding, times RFC 3339 UTC. */
import { auditEventClasses } from '@strongroom/kernel';
import { z } from 'zod';

/** Entries of one page: two tiles, so that pages and tiles share their borders. */
export const PAGE_ENTRIES = 512;

/** A decimal number in a path or query: one spelling for each number. */
function decimal(maximum: number) {
  return z
    .string()
    .max(16)
    .regex(/^(?:0|[1-9][0-9]*)$/, 'Expected a decimal number.')
    .transform(Number)
    .refine((value) => value <= maximum, `Expected at most ${maximum}.`);
}

/** tlog-tiles allows 64 levels; sizes that JavaScript can count to need seven. */
export const tilePath = z.strictObject({ level: decimal(63), index: decimal(Number.MAX_SAFE_INTEGER) });
/** How many of the tile's hashes are asked for: the width in the tree of the caller's checkpoint. Absent: a full tile. */
export const tileQuery = z.strictObject({ width: decimal(256).optional() });
export const tile = z.strictObject({ hashes: z.string() });

/** Entries with `from` ≤ index < `to`; at most `PAGE_ENTRIES`, then `next` is the `from` of the rest. */
export const entriesQuery = z.strictObject({
  from: decimal(Number.MAX_SAFE_INTEGER).optional(),
  to: decimal(Number.MAX_SAFE_INTEGER).optional(),
});

/** Columns of docs/format/audit.md. `occurredAt` has as many digits as the stored value: three, or six if it is not whole milliseconds. */
export const event = z.strictObject({
  eventId: z.string(),
  occurredAt: z.string(),
  type: z.string(),
  outcome: z.string(),
  reason: z.string().nullable(),
  actorKind: z.string(),
  actor: z.string().nullable(),
  actorVia: z.string().nullable(),
  sessionId: z.string().nullable(),
  tenantId: z.string().nullable(),
  requestId: z.string(),
  addressCommitment: z.string().nullable(),
  objectType: z.string().nullable(),
  objectId: z.string().nullable(),
  subjects: z.array(z.string()),
  details: z.string(),
});

export const opening = z.strictObject({ salt: z.string(), value: z.string() });

export const entry = z.strictObject({
  index: z.int(),
  leafHash: z.string(),
  /** Null for an event of another tenant: its leaf hash still takes part in the tree. */
  event: event.nullable(),
  addressPrefix: opening.nullable(),
});

export const entries = z.strictObject({ items: z.array(entry), next: z.string().nullable() });
/** Results of one page where the caller names no number. */
export const DEFAULT_RESULTS = 100;

const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'Expected a lower-case UUID.');
const time = z.iso.datetime({ offset: true }).max(40);

/** Why the log is read, in a word that stands in the log itself: `incident`, `access-request`. Not for names. */
const purpose = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'Expected a word of lower-case letters, digits and hyphens.');

/** In a query every name stands once: several values stand in one, with commas between them, and any of them will do. */
function oneOrMore<const Value extends string>(values: readonly Value[]) {
  const one = `(?:${values.join('|')})`;
  return z
    .string()
    .max(values.join(',').length)
    .regex(
      new RegExp(`^${one}(?:,${one})*$`),
      `Expected one or more of ${values.join(', ')}, with commas between them.`,
    )
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(values)));
}

const filters = {
  /** Who acted: an account or a pseudonym. */
  actor: uuid.optional(),
  /** Whom it is about: an account or a pseudonym. */
  subject: uuid.optional(),
  /** Id of the object. */
  object: z.string().min(1).max(200).optional(),
  type: z.string().min(1).max(100).optional(),
  class: oneOrMore(auditEventClasses).optional(),
  outcome: oneOrMore(['success', 'denied', 'failure']).optional(),
  /** From this moment on. */
  from: time.optional(),
  /** Before this moment. */
  to: time.optional(),
  request: uuid.optional(),
  /** All these words, in the open fields, the reason or the names of type and object. */
  text: z.string().min(1).max(200).optional(),
};

/** Conditions, all of which hold for what is found. At most `maximum` results come at once. */
export const eventsQuery = (maximum: number) =>
  z.strictObject({
    ...filters,
    order: z.enum(['newest', 'oldest']).optional(),
    limit: decimal(maximum).optional(),
    /** `next` of the page before. */
    cursor: uuid.optional(),
    purpose: purpose.optional(),
  });

/** Who is behind the pseudonyms of a page, but for those who were forgotten. */
const person = z.strictObject({ pseudonym: z.string(), account: z.string() });

export const events = z.strictObject({
  items: z.array(entry),
  next: z.string().nullable(),
  people: z.array(person),
});

/** In a body, because an address of a person belongs into no URL. */
export const personQuery = z.strictObject({ email: z.string().min(3).max(320) });
/** Null for a person who is unknown, was forgotten or appears in no event the caller may see. */
export const personAnswer = z.strictObject({ person: person.nullable() });

/** Says that the log is being exported; what follows are searches. */
export const exportBegin = z.strictObject({ format: z.enum(['ocsf', 'jsonl']), purpose: purpose.optional() });

export const checkpoint = z.strictObject({
  /** C2SP signed note. Null before the first event. */
  note: z.string().nullable(),
});
export const keys = z.strictObject({
  /** C2SP verifier keys. Every one must have signed. */
  items: z.array(z.string()),
  /** Every change of the keys, as C2SP tlog-proofs in the order of the log. */
  handovers: z.array(z.string()),
  next: z.null(),
});

/** Entries of one page on the administrator's socket: sixteen tiles. */
export const OPERATOR_PAGE_ENTRIES = 4096;

export const operatorEntries = z.strictObject({
  items: z.array(
    entry.extend({
      absence: z.enum(['missing', 'removed']).nullable(),
      /** The key of the opening was destroyed. */
      isErased: z.boolean(),
    }),
  ),
  next: z.string().nullable(),
});
export const head = z.strictObject({
  /** C2SP signed note. Null before the first event. */
  note: z.string().nullable(),
  keys: z.array(z.string()),
  /** As with the keys of the network. */
  handovers: z.array(z.string()),
  /** Of the entries below it, retention removed some. */
  minimumIndex: z.int(),
});
/** C2SP tlog-policy with an address for each witness; null for none. */
export const witnessPolicy = z.strictObject({ policy: z.string().max(32_768).nullable() });
/** What the witnesses answered when they were asked just now; null while nobody is to be asked, or nothing was logged yet. */
export const witnessing = z.strictObject({
  witnessing: z
    .strictObject({
      size: z.int(),
      /** Of the largest checkpoint that a quorum cosigned. */
      witnessedSize: z.int(),
      problems: z.array(z.strictObject({ witness: z.string(), problem: z.string() })),
    })
    .nullable(),
});
/** The keys were changed; the entry that says so is the last of `size`. */
export const keyRotation = z.strictObject({
  size: z.int(),
  keys: z.array(z.string()),
  /** C2SP tlog-proof, signed by the former keys and by the new ones. */
  handover: z.string(),
});
export const checkpoints = z.strictObject({ items: z.array(z.string()), next: z.null() });

const sinkName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'Expected lower-case letters, digits and hyphens, at most 40.');
const sinkFormat = z.enum(['jsonl', 'ocsf']);

export const sinkPath = z.strictObject({ sink: sinkName });

export const newSink = z.strictObject({
  name: sinkName,
  format: sinkFormat,
  target: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('webhook'),
      url: z.string().max(2048),
      /** PEM; null for the authorities that Node knows. */
      authorities: z.string().max(65_536).nullable(),
    }),
    z.strictObject({
      kind: z.literal('file'),
      /** PATH_MAX of Linux. */
      folder: z.string().max(4096),
      rotateBytes: z.int().min(1),
      rotateDaily: z.boolean(),
      /** The oldest files beyond these are deleted; null: none. The newest is being written. */
      keepFiles: z.int().min(2).max(100_000).nullable(),
    }),
  ]),
  withAddresses: z.boolean(),
  /** Place of the first event to deliver; null: from the next one on. */
  from: z.int().min(0).nullable(),
});

/** The secret signs deliveries and is shown this once; null for files. */
export const sinkAdded = z.strictObject({ name: z.string(), secret: z.string().nullable() });

export const sink = z.strictObject({
  name: z.string(),
  kind: z.enum(['webhook', 'file']),
  format: sinkFormat,
  target: z.string(),
  withAddresses: z.boolean(),
  rotateBytes: z.int().nullable(),
  rotateDaily: z.boolean(),
  keepFiles: z.int().nullable(),
  /** Who may vouch for the receiver's certificate; empty for the authorities that Node knows. */
  authorities: z.array(z.strictObject({ subject: z.string(), fingerprint: z.string(), validUntil: z.string() })),
  /** Place of the first event that was not acknowledged. */
  next: z.int(),
  eventsBehind: z.int(),
  secondsBehind: z.number(),
  /** Attempts in a row that failed, what was wrong with the last one, and when the next one is. */
  failures: z.int(),
  problem: z.string().nullable(),
  nextAttemptAt: z.string().nullable(),
  deliveredAt: z.string().nullable(),
  deadLetters: z.strictObject({ batches: z.int(), events: z.int() }),
});
export const sinks = z.strictObject({ items: z.array(sink), next: z.null() });
export const sinkNamed = z.strictObject({ name: z.string() });
export const sinkRetried = z.strictObject({ name: z.string(), batches: z.int() });

export type WireSink = z.output<typeof sink>;
export type WireEvents = z.output<typeof events>;
export type WireEvent = z.output<typeof event>;
export type WireEntry = z.output<typeof entry>;
export type WireEntries = z.output<typeof entries>;
export type WireTile = z.output<typeof tile>;
export type WireCheckpoint = z.output<typeof checkpoint>;
export type WireKeys = z.output<typeof keys>;

export { formatMicroseconds } from './times.ts';
