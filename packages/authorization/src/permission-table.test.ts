import { inCurrentTenant, inSpace, ownAccount, publicRoute, type Access } from '@strongroom/pipeline';
import { describe, expect, it } from 'vitest';
import { checkPermissions, grantOf, permissionTable, type DeclaringManifest } from './permission-table.ts';
import { roles } from './roles.ts';

/** Manifests that fit the table exactly. */
const fitting: DeclaringManifest = {
  permissions: Object.fromEntries(Object.keys(permissionTable).map((name) => [name, 'declared'])),
};
const withRoute = (access: Access): DeclaringManifest[] => [
  fitting,
  { routes: [{ method: 'GET', path: '/v1/test', access }] },
];

describe('the table and the manifests', () => {
  it('accepts manifests that declare exactly what the table assigns', () => {
    expect(() => checkPermissions([fitting])).not.toThrow();
  });

  it('refuses a declared permission that no role holds, by name', () => {
    const typo = { permissions: { 'memory.raed': 'Read memories.' } };
    expect(() => checkPermissions([fitting, typo])).toThrow(/memory\.raed is declared but assigned to no role/);
  });

  it('refuses a permission of the table that no manifest declares, by name', () => {
    const { 'memory.read': _left, ...others } = fitting.permissions!;
    expect(() => checkPermissions([{ permissions: others }])).toThrow(/memory\.read is assigned but declared nowhere/);
  });

  it('is not fooled by names that every object has', () => {
    expect(grantOf('constructor')).toBeUndefined();
    expect(grantOf('__proto__')).toBeUndefined();
    const inherited = { permissions: { constructor: 'Everything.' } };
    expect(() => checkPermissions([fitting, inherited])).toThrow(/constructor/);
  });

  it.each([
    ['a space permission asked for in the tenant', inCurrentTenant('memory.read')],
    ['a tenant permission asked for in a space', inSpace('audit.read')],
    ['an own-account permission asked for in the tenant', inCurrentTenant('session.manage')],
    ['a tenant permission asked for as own account', ownAccount('audit.read')],
    ['a permission that does not exist', inCurrentTenant('audit.*')],
  ])('refuses a route with %s', (_name, access) => {
    expect(() => checkPermissions(withRoute(access))).toThrow(/GET \/v1\/test asks for/);
  });

  it.each([
    ['own account', ownAccount('session.manage')],
    ['tenant', inCurrentTenant('audit.read')],
    ['space', inSpace('memory.read')],
    ['public', publicRoute('A test.')],
  ])('accepts a route that asks in the right scope: %s', (_name, access) => {
    expect(() => checkPermissions(withRoute(access))).not.toThrow();
  });

  it('gives a role everything that a lesser role in the same scope has', () => {
    for (const [permission, grant] of Object.entries(permissionTable)) {
      if (grant.scope === 'self') continue;
      const held = roles.map((role) => (grant.roles as readonly string[]).includes(role));
      // True first, then false: no gap in which a member may what an admin may not.
      expect(held, permission).toEqual(held.toSorted((left, right) => Number(right) - Number(left)));
    }
  });
});
