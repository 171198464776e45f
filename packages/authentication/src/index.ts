export { maskEmail, parseEmail, type Email } from './email.ts';
export { AuthenticationError, authenticationErrors, type AuthenticationErrorCode } from './errors.ts';
export { sessionLifetimes } from './lifetimes.ts';
export { manifest } from './manifest.ts';
export type { AuthenticationServices, Membership, MembershipPort, Role } from './services.ts';
export { profiles, type Profiles } from './profiles.ts';
export { sessionPort } from './session-port.ts';
export { ensureSetupInvitation } from './setup.ts';
