export { maskEmail, parseEmail, type Email } from './email.ts';
export { encryptedTables, rotatedIndexes } from './internal/codecs.ts';
export { AuthenticationError, authenticationErrors, type AuthenticationErrorCode } from './errors.ts';
export { sessionLifetimes } from './lifetimes.ts';
export { manifest } from './manifest.ts';
export type {
  AccountLifeServices,
  AddressServices,
  AuthenticationServices,
  Membership,
  MembershipPort,
  ReceiptPort,
  Role,
  SpaceDeparture,
  SpaceDeparturePort,
  Standing,
  SubjectErasurePort,
  TenantMember,
} from './services.ts';
export { people, type People } from './people.ts';
export { profiles, type Profiles } from './profiles.ts';
export { ensureSetupInvitation } from './setup.ts';
export { sessionEndings, sessionPort, type SessionEndings } from './session-port.ts';
