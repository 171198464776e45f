/** What the command's exit code says; documented in `strongroom --help`. */
export const EXIT = {
  ok: 0,
  /** Something failed: the server refused, a file could not be read, the network is down. */
  failed: 1,
  /** The command line is wrong; or, for `fernet decrypt`, the token is invalid or expired. */
  usage: 2,
  /** A proof does not hold: `audit verify` found a difference. */
  notIntact: 3,
  /** Not signed in, locked, or the wrong password. */
  credentials: 4,
  /** Somebody else changed it first. */
  conflict: 5,
  /** A log is sound and contradicts what was seen of it elsewhere. */
  diverged: 6,
  /** A log is sound and nobody but itself vouches for it. */
  unanchored: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
