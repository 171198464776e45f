/** What travels between clients and this room. Byte strings are base64url without padding, times RFC 3339 UTC. */
import { fromBase64Url, isUuid, type Uuid } from '@strongroom/kernel';
import { z } from 'zod';

/** Bytes of the secrets that clients derive: HKDF-SHA-256 output. */
const AUTHENTICATION_SECRET_BYTES = 32;
/** Bytes of session tokens and invitations: 256 random bits. */
const TOKEN_BYTES = 32;
/** Bytes of the salt. Exactly what `sealing` makes, so that real and made-up salts look alike. */
export const SALT_BYTES = 16;
/** Algorithm byte and X25519 public key, docs/format. */
const PUBLIC_KEY_BYTES = 33;
/** Version, salt, commitment and tag around a wrapped secret, docs/format. */
const WRAP_BYTES = 1 + 32 + 32 + 16;
/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets, two of which are the angle brackets. */
export const MAXIMUM_EMAIL_LENGTH = 254;
/** Characters of a name that a person gives to themself or to a device. */
const MAXIMUM_NAME_LENGTH = 100;
/** Sessions of one page. */
export const PAGE_ITEMS = 100;

const id: z.ZodType<Uuid, string> = z.string().refine(isUuid, 'Expected a lower-case UUID of version 7.');

/** Exactly this many bytes. */
function bytes(length: number) {
  return z
    .string()
    .length(Math.ceil((length * 4) / 3))
    .transform((text, context) => {
      try {
        return fromBase64Url(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'Expected base64url without padding.' });
        return z.NEVER;
      }
    });
}

/** One line of visible text. Control, format and line separator characters could disguise a name in a list. */
const name = z
  .string()
  .transform((text) => text.normalize('NFC').trim())
  .pipe(
    z
      .string()
      .min(1)
      .max(MAXIMUM_NAME_LENGTH)
      .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u, 'Expected one line of text.'),
  );

/** As typed; the server normalises it. Longer than the longest address, since normalising may shorten. */
const email = z
  .string()
  .min(3)
  .max(MAXIMUM_EMAIL_LENGTH * 2);
const time = z.string();

/** How the session's token travels. A token of one kind is not accepted as the other. */
export const transport = z.enum(['cookie', 'bearer']);

const parameters = z.strictObject({
  algorithm: z.literal('argon2id'),
  version: z.literal(1),
  memoryKibibytes: z.int().positive(),
  passes: z.int().positive(),
  lanes: z.int().positive(),
});

/** The account record of `sealing`, with the byte strings read. */
const newRecord = z.strictObject({
  version: z.literal(1),
  account: id,
  salt: bytes(SALT_BYTES),
  parameters,
  publicKey: bytes(PUBLIC_KEY_BYTES),
  privateKey: bytes(WRAP_BYTES + PUBLIC_KEY_BYTES),
  accountKeyByPassword: bytes(WRAP_BYTES + 32),
  accountKeyByRecovery: bytes(WRAP_BYTES + 32),
});

/** The account record of `sealing`, as stored: every byte string base64url. */
const record = z.strictObject({
  version: z.literal(1),
  account: id,
  salt: z.string(),
  parameters,
  publicKey: z.string(),
  privateKey: z.string(),
  accountKeyByPassword: z.string(),
  accountKeyByRecovery: z.string(),
});

export const signUp = z.strictObject({
  /** From a set-up link or an invitation. */
  invitation: bytes(TOKEN_BYTES),
  email,
  displayName: name,
  authenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  recoveryAuthenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  /** `record.account` is the new account's id, made by the client. */
  record: newRecord,
  transport,
  deviceName: name.optional(),
});

export const signInParametersRequest = z.strictObject({ email });
export const signInParameters = z.strictObject({
  keyDerivation: z.strictObject({ salt: z.string(), parameters }),
});

export const signIn = z.strictObject({
  email,
  authenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  transport,
  deviceName: name.optional(),
});

export const account = z.strictObject({
  id,
  email: z.string(),
  displayName: z.string(),
  /** The tenant that the session is for, and the account's role in it. */
  tenant: id,
  role: z.string(),
  createdAt: time,
  record,
});

const sessionTimes = {
  createdAt: time,
  /** Ends then unless used before; each use moves it. */
  idleExpiresAt: time,
  /** Ends then in any case. */
  expiresAt: time,
};

export const sessionStarted = z.strictObject({
  session: z.strictObject({ id, transport, ...sessionTimes }),
  /** The bearer token, shown this once; null when the token went into the cookie. */
  token: z.string().nullable(),
  account,
});

export const session = z.strictObject({
  id,
  transport,
  ...sessionTimes,
  lastSeenAt: time,
  deviceName: z.string().nullable(),
  /** True for the session that asks. */
  current: z.boolean(),
});
export const sessionList = z.strictObject({ items: z.array(session), next: z.string().nullable() });
/** `cursor` is the `next` of the page before. */
export const sessionQuery = z.strictObject({ cursor: id.optional() });
export const sessionPath = z.strictObject({ session: id });

export const reauthentication = z.strictObject({ authenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES) });
export const reauthenticated = z.strictObject({
  /** Until then the session may do what asks for a recent proof of the password. */
  reauthenticatedUntil: time,
  /** The session's new bearer token; null when it went into the cookie. The former token is worth nothing now. */
  token: z.string().nullable(),
});

/** A new password: the current secret once more, and the account record with another salt and another wrap under the password. */
export const passwordChange = z.strictObject({
  authenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  newAuthenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  record: newRecord,
});
/** Every other session ended, and this one has a new token; null when it went into the cookie. */
export const passwordChanged = z.strictObject({ token: z.string().nullable(), account, endedSessions: z.int() });

/** The present secret once more, and a new recovery code in place of the one that was wrapped as `replaces`, which is what the account record holds of it. */
export const recoveryCodeRenewal = z.strictObject({
  authenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  recoveryAuthenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  accountKeyByRecovery: bytes(WRAP_BYTES + 32),
  replaces: bytes(WRAP_BYTES + 32),
});

export const emailChange = z.strictObject({ email });

export const recoveryStart = z.strictObject({
  email,
  recoveryAuthenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
});
export const recoveryStarted = z.strictObject({
  /** To be used once, for finishing. */
  token: z.string(),
  expiresAt: time,
  record,
});
/** Replaces password and recovery code together; everything else of the record stays. */
export const recoveryFinish = z.strictObject({
  token: bytes(TOKEN_BYTES),
  authenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  recoveryAuthenticationSecret: bytes(AUTHENTICATION_SECRET_BYTES),
  record: newRecord,
  transport,
  deviceName: name.optional(),
});

const spaceDeparture = z.strictObject({
  space: id,
  role: z.string(),
  /** Memories in it. */
  memories: z.int(),
  /** Of these, those that the account wrote. */
  authored: z.int(),
  otherMembers: z.int(),
  /** `hand-over`: give it another owner first, or name it among `deleteSpaces`. */
  outcome: z.enum(['delete', 'hand-over', 'leave']),
});

export const deletionPlan = z.strictObject({
  sessions: z.int(),
  invitations: z.int(),
  spaces: z.array(spaceDeparture),
  /** The tenant ends with its only member. */
  tenantEnds: z.boolean(),
  /** The account is its tenant's only owner and others belong to it: somebody else has to become owner first. */
  lastOwner: z.boolean(),
  /** What deleting does not reach, as codes. */
  remains: z.array(z.string()),
});

/** Spaces that one request can decide about. */
const MAXIMUM_DECIDED_SPACES = 1000;

export const deletion = z.strictObject({
  /** The account's e-mail address, typed. */
  confirmation: email,
  /** Of the spaces to be handed over, those to be deleted for everybody instead. */
  deleteSpaces: z.array(id).max(MAXIMUM_DECIDED_SPACES).optional(),
});

/** The certificate. Who keeps it can have it proved later that exactly this was recorded: see `leafHash`. */
export const deleted = z.strictObject({
  account: id,
  eventId: z.string(),
  deletedAt: time,
  destroyed: z.strictObject({
    sessions: z.int(),
    invitations: z.int(),
    spaces: z.int(),
    spacesLeft: z.int(),
    memories: z.int(),
    tenant: z.boolean(),
    /** `queued`: destroyed within seconds, in every key store; `rows`: only the rows that hold keys. */
    keys: z.enum(['queued', 'rows']),
  }),
  remains: z.array(z.string()),
  /** The audit log's entry and its RFC 9162 leaf hash. The first checkpoint signed after `deletedAt` covers it. */
  entry: z.string(),
  leafHash: z.string(),
});

export const sessionsEnded = z.strictObject({ ended: z.int() });

export const newInvitation = z.strictObject({ role: z.enum(['owner', 'admin', 'member', 'viewer', 'guest']) });
export const invitation = z.strictObject({
  id,
  /** Shown this once. */
  token: z.string(),
  role: z.string(),
  expiresAt: time,
});

export const openInvitation = z.strictObject({
  id,
  role: z.string(),
  invitedBy: id,
  createdAt: time,
  expiresAt: time,
});
export const invitationList = z.strictObject({ items: z.array(openInvitation), next: z.string().nullable() });
export const invitationQuery = z.strictObject({ cursor: id.optional() });
export const invitationPath = z.strictObject({ invitation: id });

export type PasswordChange = z.input<typeof passwordChange>;
export type PasswordChanged = z.output<typeof passwordChanged>;
export type RecoveryCodeRenewal = z.input<typeof recoveryCodeRenewal>;
export type EmailChange = z.input<typeof emailChange>;
export type RecoveryStart = z.input<typeof recoveryStart>;
export type RecoveryStarted = z.output<typeof recoveryStarted>;
export type RecoveryFinish = z.input<typeof recoveryFinish>;
export type DeletionPlan = z.output<typeof deletionPlan>;
export type PlannedDeparture = z.output<typeof spaceDeparture>;
export type Deletion = z.input<typeof deletion>;
export type Deleted = z.output<typeof deleted>;
export type OpenInvitation = z.output<typeof openInvitation>;
export type InvitationList = z.output<typeof invitationList>;
export type SignUp = z.input<typeof signUp>;
export type SignIn = z.input<typeof signIn>;
export type SignInParameters = z.output<typeof signInParameters>;
export type Account = z.output<typeof account>;
export type SessionStarted = z.output<typeof sessionStarted>;
export type Session = z.output<typeof session>;
export type SessionList = z.output<typeof sessionList>;
export type Reauthentication = z.input<typeof reauthentication>;
export type Reauthenticated = z.output<typeof reauthenticated>;
export type NewInvitation = z.input<typeof newInvitation>;
export type Invitation = z.output<typeof invitation>;
