/**
 * Every use of HKDF has its own label, the first part of a length-prefixed `info`, so that no two uses can
 * ever derive the same bytes. Documented in docs/format/sealing.md; a change is a new format version.
 */
export const labels = {
  passwordAuthentication: 'strongroom/v1/password/authentication',
  passwordUnlock: 'strongroom/v1/password/unlock',
  recoveryAuthentication: 'strongroom/v1/recovery/authentication',
  recoveryUnlock: 'strongroom/v1/recovery/unlock',
  recoveryChecksum: 'strongroom/v1/recovery/checksum',
  wrap: 'strongroom/v1/wrap',
  item: 'strongroom/v1/item',
  sharedSpaceKey: 'strongroom/v1/space-key/shared',
  fingerprint: 'strongroom/v1/fingerprint',
} as const;

/** First part of a wrap's context: what kind of thing is inside. */
export const wrapped = {
  accountKeyByPassword: 'account-key/password',
  accountKeyByRecovery: 'account-key/recovery',
  privateKey: 'private-key',
  spaceKey: 'space-key',
  spaceName: 'space-name',
} as const;
