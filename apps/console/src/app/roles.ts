/** What roles allow, so that no button is offered that the server would refuse. The server decides. */
import type { Role } from '@strongroom/client';

/** From the least to the most entitled: nobody gives more than needed because it came first. */
export const ROLES = ['guest', 'viewer', 'member', 'admin', 'owner'] as const satisfies readonly Role[];

/** Roles to choose from in a space: a guest there may do what a viewer may. */
export const SPACE_ROLES = ['viewer', 'member', 'admin', 'owner'] as const satisfies readonly Role[];

const among = (roles: readonly string[]) => (role: string) => roles.includes(role);

/** In the vault: inviting, changing roles, removing. */
export const managesMembers = among(['owner', 'admin']);
export const seesMembers = among(['owner', 'admin', 'member', 'viewer']);
export const readsAudit = among(['owner', 'admin']);
export const makesSpaces = among(['owner', 'admin', 'member']);

/** In a space. */
export const sharesSpace = among(['owner', 'admin']);
export const writesInSpace = among(['owner', 'admin', 'member']);

const rank = (role: string): number => ROLES.findIndex((one) => one === role);

/** Nobody gives a role above the own, nor changes people who rank above. Unknown roles rank nowhere. */
export const reaches = (own: string, other: string): boolean => rank(other) >= 0 && rank(own) >= rank(other);
