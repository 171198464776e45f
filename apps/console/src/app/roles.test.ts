import { permissionTable, roles, ranksAtLeast, type Permission } from '@strongroom/authorization';
import { describe, expect, it } from 'vitest';
import {
  makesSpaces,
  managesMembers,
  reaches,
  readsAudit,
  ROLES,
  seesMembers,
  sharesSpace,
  SPACE_ROLES,
  writesInSpace,
} from './roles.ts';

describe('what the console offers to a role', () => {
  it.each<[string, (role: string) => boolean, Permission]>([
    ['inviting', managesMembers, 'invitation.create'],
    ['changing and removing members', managesMembers, 'member.manage'],
    ['seeing members', seesMembers, 'member.read'],
    ['reading the audit log', readsAudit, 'audit.read'],
    ['making spaces', makesSpaces, 'space.create'],
    ['sharing', sharesSpace, 'space.share'],
    ['writing', writesInSpace, 'memory.write'],
    ['deleting', writesInSpace, 'memory.delete'],
  ])('is what the server allows: %s', (_name, offered, permission) => {
    const grant = permissionTable[permission];
    const allowed: readonly string[] = 'roles' in grant ? grant.roles : [];
    expect(roles.filter(offered)).toEqual(roles.filter((role) => allowed.includes(role)));
    expect(offered('root')).toBe(false);
  });

  it('reaches as far as the server lets it', () => {
    for (const own of roles) for (const other of roles) expect(reaches(own, other)).toBe(ranksAtLeast(own, other));
    expect(reaches('root', 'guest')).toBe(false);
    expect(reaches('owner', 'root')).toBe(false);
  });

  it('knows every role, the least entitled first', () => {
    expect(ROLES.toReversed()).toEqual(roles);
    expect(SPACE_ROLES).toEqual(ROLES.filter((role) => role !== 'guest'));
  });
});
