/** The five roles, in a tenant and in a space, from the most to the least entitled. */

export const roles = ['owner', 'admin', 'member', 'viewer', 'guest'] as const;

export type Role = (typeof roles)[number];

export const isRole = (value: unknown): value is Role => roles.some((role) => role === value);

/** True when `holder` is entitled to at least as much as `other`. Nobody grants a role above the own. */
export const ranksAtLeast = (holder: Role, other: Role): boolean => roles.indexOf(holder) <= roles.indexOf(other);
