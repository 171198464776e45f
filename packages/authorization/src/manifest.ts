import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import { listMembersRoute } from './members.ts';
import type { AuthorizationServices } from './services.ts';

export const manifest: Manifest<Route<AuthorizationServices>, AuthorizationServices> = {
  name: 'authorization',
  migrations,
  dataMap,
  permissions: { 'member.read': 'See who belongs to the tenant, and with which role.' },
  routes: [listMembersRoute],
};
