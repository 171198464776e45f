/** How long things last, in seconds. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface SessionLifetime {
  /** Ends when it was not used for so long. */
  readonly idleSeconds: number;
  /** Ends then in any case. */
  readonly absoluteSeconds: number;
}

/**
 * - `cookie`: browsers stay open and are left alone, so SP 800-63B-4's limits for AAL2 (1 h, 24 h);
 * - `bearer`: a command line is used a few times a week and keeps its token in a file of its user's. The token alone opens no
 *   memory (that takes the password again), so it may rest for a week and lives for the 30 days of AAL1.
 */
export const sessionLifetimes = {
  cookie: { idleSeconds: HOUR, absoluteSeconds: DAY },
  bearer: { idleSeconds: 7 * DAY, absoluteSeconds: 30 * DAY },
} as const satisfies Readonly<Record<string, SessionLifetime>>;

/** A session's use is written down at most this often, so that reading does not become writing. */
export const LAST_SEEN_RESOLUTION_SECONDS = MINUTE;

/** A proof of the password counts as recent for so long. */
export const REAUTHENTICATION_SECONDS = 5 * MINUTE;

/** Until the first owner followed the printed link; every start prints a new one. */
export const SETUP_INVITATION_SECONDS = DAY;

/** Long enough for a person to come back from a weekend. */
export const INVITATION_SECONDS = 7 * DAY;

/** Between proving the recovery code and setting the new password: long enough to think of one. */
export const RECOVERY_SECONDS = 15 * MINUTE;

/** How soon after an account was deleted its keys are destroyed, at most. */
export const ERASURE_EVERY_SECONDS = 5;

/** Ended sessions leave the database within so long. */
export const PURGE_EVERY_SECONDS = 10 * MINUTE;
