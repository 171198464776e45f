export { authorizer, holdsInSpace } from './authorizer.ts';
export { AuthorizationError, authorizationErrors, type AuthorizationErrorCode } from './errors.ts';
export { manifest } from './manifest.ts';
export { memberships, type Membership, type Memberships, type NewMembership } from './memberships.ts';
export { permissionTable, type DeclaringManifest, type Grant, type Permission } from './permission-table.ts';
export { isRole, ranksAtLeast, roles, type Role } from './roles.ts';
export type {
  AuthorizationServices,
  ProfilePort,
  SessionEndingPort,
  SpaceDeparture,
  SpaceDeparturePort,
  TenantMember,
} from './services.ts';
export {
  assignSpaceRole,
  removeAllSpaceRoles,
  removeSpaceRole,
  spaceMembers,
  spaceRolesOf,
  type SpaceMembership,
} from './space-roles.ts';
export type { Standing } from './tenant-roles.ts';
