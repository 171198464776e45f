export { authorizer } from './authorizer.ts';
export { AuthorizationError, authorizationErrors, type AuthorizationErrorCode } from './errors.ts';
export { manifest } from './manifest.ts';
export { memberships, type Membership, type Memberships, type NewMembership } from './memberships.ts';
export { permissionTable, type DeclaringManifest, type Grant, type Permission } from './permission-table.ts';
export { isRole, ranksAtLeast, roles, type Role } from './roles.ts';
export type { AuthorizationServices, ProfilePort } from './services.ts';
export { assignSpaceRole, removeSpaceRole, spaceRolesOf } from './space-roles.ts';
