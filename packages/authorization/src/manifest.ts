import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import { changeRoleRoute, removeMemberRoute } from './manage-members.ts';
import { listMembersRoute } from './members.ts';
import type { AuthorizationServices } from './services.ts';

export const manifest: Manifest<Route<AuthorizationServices>, AuthorizationServices> = {
  name: 'authorization',
  migrations,
  dataMap,
  permissions: {
    'member.read': 'See who belongs to the tenant, with which role and which public key.',
    'member.manage': 'Change the roles of others up to the own, and remove people from the tenant.',
  },
  auditEvents: {
    'member.role-changed': {
      title: 'Somebody got another role in the tenant',
      class: 'permission',
      retention: 'security',
      ocsf: 'user-management/assign-roles',
    },
    'member.removed': {
      title: 'Somebody was removed from the tenant',
      class: 'permission',
      retention: 'security',
      ocsf: 'user-management/remove-roles',
    },
  },
  routes: [listMembersRoute, changeRoleRoute, removeMemberRoute],
};
