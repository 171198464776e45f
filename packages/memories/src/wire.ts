/** What travels between clients and the memories room. Byte strings are base64url without padding, times RFC 3339 UTC. */
import { fromBase64Url, isUuid, type Uuid } from '@strongroom/kernel';
import { z } from 'zod';

/** Bytes of one sealed memory: about a book chapter. Longer material belongs into attachments. */
export const MAXIMUM_TOKEN_BYTES = 256 * 1024;
/**
 * Bytes of the smallest Fernet token: version 1, time 8, initialisation vector 16, one block 16, HMAC 32.
 * Shorter ones were truncated on the way.
 */
export const MINIMUM_TOKEN_BYTES = 73;
/** Everything in a Fernet token that is not ciphertext blocks. */
const TOKEN_FRAME_BYTES = 57;
const BLOCK_BYTES = 16;
const TOKEN_VERSION = 0x80;

export const MAXIMUM_SEALED_NAME_BYTES = 4096;
export const MAXIMUM_WRAPPED_KEY_BYTES = 4096;
/** Bytes of a key sealed to a member: 81 today, with room for hybrids with a post-quantum mechanism. */
const MAXIMUM_SHARED_KEY_BYTES = 2048;
/** Members of one space: a change of its key is one request with a sealed key for each. */
export const MAXIMUM_SPACE_MEMBERS = 200;
/** Epochs that one request can share. */
const MAXIMUM_SHARED_EPOCHS = 400;
/** Bytes of the JSON bodies with many sealed keys. */
export const MAXIMUM_SHARING_BODY_BYTES = 1024 * 1024;
/** Items of one batch. */
export const MAXIMUM_BATCH_ITEMS = 100;
/** Bytes of one batch's JSON body. */
export const MAXIMUM_BATCH_BYTES = 1024 * 1024;
/** Bytes of the JSON body of one memory: its token in base64url and room for the other fields. */
export const MAXIMUM_MEMORY_BODY_BYTES = 384 * 1024;
/** Items of one page when the caller does not say. */
export const DEFAULT_PAGE_ITEMS = 100;
export const MAXIMUM_PAGE_ITEMS = 200;

/** A version or an epoch: what fits a PostgreSQL `integer`. */
const MAXIMUM_COUNTER = 2 ** 31 - 1;

const id: z.ZodType<Uuid, string> = z
  .string()
  .refine(isUuid, 'Expected a lower-case UUID of version 7.')
  .transform((value): Uuid => value);

function bytes(minimum: number, maximum: number) {
  return z
    .string()
    .min(Math.ceil((minimum * 4) / 3))
    .max(Math.ceil((maximum * 4) / 3))
    .transform((text, context) => {
      try {
        return fromBase64Url(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'Expected base64url without padding.' });
        return z.NEVER;
      }
    });
}

/** A sealed memory. Only its frame can be judged here: enough to refuse what was cut off or is no token at all. */
const token = bytes(MINIMUM_TOKEN_BYTES, MAXIMUM_TOKEN_BYTES).refine(
  (value) => value[0] === TOKEN_VERSION && (value.length - TOKEN_FRAME_BYTES) % BLOCK_BYTES === 0,
  'Expected a whole Fernet token.',
);
const epoch = z.int().min(1).max(MAXIMUM_COUNTER);
const version = z
  .int()
  .min(1)
  .max(MAXIMUM_COUNTER - 1);
const time = z.string();

/** A decimal number in a query: no sign, no leading zero, so that every number has one spelling. */
function decimal(minimum: number, maximum: number) {
  return z
    .string()
    .max(16)
    .regex(/^(?:0|[1-9][0-9]*)$/, 'Expected a decimal number.')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `Expected ${minimum} to ${maximum}.`);
}

const limit = decimal(1, MAXIMUM_PAGE_ITEMS).optional();
/** Longer than every cursor; what is inside is judged where the list is read. */
const cursor = z.string().max(64).optional();

export const spacePath = z.strictObject({ space: id });
export const memoryPath = z.strictObject({ space: id, memory: id });
export const pageQuery = z.strictObject({ cursor, limit });
export const changesQuery = z.strictObject({
  /** The sequence of the last change the caller has; 0 or absent for all. */
  after: decimal(0, Number.MAX_SAFE_INTEGER).optional(),
  limit,
});
export const removalQuery = z.strictObject({ expectedVersion: decimal(1, MAXIMUM_COUNTER - 1) });

export const newSpace = z.strictObject({
  id,
  sealedName: bytes(1, MAXIMUM_SEALED_NAME_BYTES),
  /** A space begins with its first key. */
  epoch: z.literal(1),
  wrappedKey: bytes(1, MAXIMUM_WRAPPED_KEY_BYTES),
});

export const wrappedSpaceKey = z.strictObject({
  epoch,
  wrappedKey: z.string(),
  /**
   * Null when it is wrapped under the caller's own account key. Otherwise the member who sealed it for the caller, with the public key
   * that the server has of them: for the caller to compare with the one they know.
   */
  sharedBy: z
    .strictObject({ account: z.string(), displayName: z.string().nullable(), publicKey: z.string().nullable() })
    .nullable(),
});

export const space = z.strictObject({
  id: z.string(),
  sealedName: z.string(),
  /** Epoch of the current key: what new versions must be sealed under. */
  epoch,
  /** The caller's role in the space. */
  role: z.string(),
  /** The space's keys, each wrapped for the caller, oldest first. */
  keys: z.array(wrappedSpaceKey),
  /** Somebody left who knows the current key: an owner or admin should change it. */
  rotationDue: z.boolean(),
  createdAt: time,
});
export const spaceList = z.strictObject({ items: z.array(space), next: z.string().nullable() });

const role = z.enum(['owner', 'admin', 'member', 'viewer', 'guest']);

export const keyPath = z.strictObject({ space: id, epoch: decimal(1, MAXIMUM_COUNTER) });
/** A key that was shared, wrapped anew by its receiver. */
export const ownKey = z.strictObject({ wrappedKey: bytes(1, MAXIMUM_WRAPPED_KEY_BYTES) });

export const spaceMemberPath = z.strictObject({ space: id, account: id });
const sealedKey = bytes(1, MAXIMUM_SHARED_KEY_BYTES);
export const spaceMemberChange = z.strictObject({
  role,
  /** Sealed to the member: the current epoch at least, unless they have it, and as many former ones as they shall read. */
  keys: z
    .array(z.strictObject({ epoch, sealedKey }))
    .max(MAXIMUM_SHARED_EPOCHS)
    .refine((keys) => new Set(keys.map((key) => key.epoch)).size === keys.length, 'Each epoch may appear once.'),
});
export const spaceMember = z.strictObject({
  account: z.string(),
  displayName: z.string().nullable(),
  role: z.string(),
  publicKey: z.string().nullable(),
  /** Epochs of the space's keys that the member has. */
  epochs: z.array(z.int()),
});
export const spaceMemberList = z.strictObject({ items: z.array(spaceMember), next: z.null() });

export const rotation = z.strictObject({
  /** Of the new key: the current epoch and one. */
  epoch,
  /** Members to be removed with it; none to change only the key. */
  removed: z.array(id).max(MAXIMUM_SPACE_MEMBERS).optional(),
  /** The name, sealed under the new key. */
  sealedName: bytes(1, MAXIMUM_SEALED_NAME_BYTES),
  /** The new key, wrapped for the caller. */
  wrappedKey: bytes(1, MAXIMUM_WRAPPED_KEY_BYTES),
  /** The new key, sealed to every other member who stays: exactly these. */
  keys: z
    .array(z.strictObject({ account: id, sealedKey }))
    .max(MAXIMUM_SPACE_MEMBERS)
    .refine((keys) => new Set(keys.map((key) => key.account)).size === keys.length, 'Each member may appear once.'),
});

export const newMemory = z.strictObject({ id, epoch, token });
export const memoryUpdate = z.strictObject({ expectedVersion: version, epoch, token });
export const batchItem = z.strictObject({
  id,
  /** 0 creates the memory. */
  expectedVersion: z
    .int()
    .min(0)
    .max(MAXIMUM_COUNTER - 1),
  epoch,
  token,
});
export const batch = z.strictObject({
  items: z
    .array(batchItem)
    .min(1)
    .max(MAXIMUM_BATCH_ITEMS)
    .refine((items) => new Set(items.map((item) => item.id)).size === items.length, 'Each id may appear once.'),
});

/** What a write answers, the same again when it is repeated. */
export const written = z.strictObject({
  id: z.string(),
  version: z.int(),
  epoch: z.int(),
  /** Place of this change in the space's feed. */
  sequence: z.int(),
  writtenAt: time,
});
export const batchWritten = z.strictObject({ items: z.array(written) });
export const removed = z.strictObject({ id: z.string(), version: z.int(), sequence: z.int(), deletedAt: time });

/** One version with its sealed content. */
export const memoryVersion = z.strictObject({
  id: z.string(),
  version: z.int(),
  epoch: z.int(),
  token: z.string(),
  /** The account that wrote this version. */
  author: z.string(),
  sequence: z.int(),
  writtenAt: time,
});
export const memoryList = z.strictObject({ items: z.array(memoryVersion), next: z.string().nullable() });

/** The current state of a memory that changed; of a deleted one only that it was. */
export const change = z.strictObject({
  id: z.string(),
  version: z.int(),
  epoch: z.int(),
  token: z.string().nullable(),
  author: z.string().nullable(),
  deleted: z.boolean(),
  sequence: z.int(),
  changedAt: time,
});
export const changes = z.strictObject({
  items: z.array(change),
  /** The `after` of the next page, or null when the end was reached. */
  next: z.string().nullable(),
  /** The space's latest sequence at the moment of reading. */
  sequence: z.int(),
});

export type NewSpace = z.input<typeof newSpace>;
export type Space = z.output<typeof space>;
export type SpaceList = z.output<typeof spaceList>;
export type OwnKey = z.input<typeof ownKey>;
export type SpaceMemberChange = z.input<typeof spaceMemberChange>;
export type SpaceMember = z.output<typeof spaceMember>;
export type SpaceMemberList = z.output<typeof spaceMemberList>;
export type Rotation = z.input<typeof rotation>;
export type NewMemory = z.input<typeof newMemory>;
export type MemoryUpdate = z.input<typeof memoryUpdate>;
export type Batch = z.input<typeof batch>;
export type Written = z.output<typeof written>;
export type BatchWritten = z.output<typeof batchWritten>;
export type Removed = z.output<typeof removed>;
export type MemoryVersion = z.output<typeof memoryVersion>;
export type MemoryList = z.output<typeof memoryList>;
export type Change = z.output<typeof change>;
export type Changes = z.output<typeof changes>;
