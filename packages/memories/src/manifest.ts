import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import { batchRoutes } from './batch.ts';
import { changeRoutes } from './changes.ts';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import type { MemoriesServices } from './internal/routes.ts';
import { memoryRoutes } from './memories.ts';
import { rotationRoutes } from './rotation.ts';
import { sharingRoutes } from './sharing.ts';
import { spaceRoutes } from './spaces.ts';

export const manifest = {
  name: 'memories',
  migrations,
  dataMap,
  permissions: {
    'space.create': 'Create spaces.',
    'space.list': 'List the spaces in which one has a role.',
    'space.read': 'Read the sealed name of a space and the own wrapped keys to it.',
    'space.share': 'Add members to a space, change their roles, remove them and change the key.',
    'memory.read': 'Read the sealed memories of a space and its change feed.',
    'memory.write': 'Store new memories and new versions in a space.',
    'memory.delete': 'Delete memories of a space.',
  },
  auditEvents: {
    'space.created': {
      title: 'A space was created',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/create',
    },
    'space.listed': {
      title: 'Somebody listed their spaces',
      class: 'data-access',
      retention: 'access',
      ocsf: 'datastore-activity/list',
    },
    'space.read': {
      title: 'A space was opened',
      class: 'data-access',
      retention: 'access',
      ocsf: 'datastore-activity/read',
    },
    'space.shared': {
      title: 'Somebody was added to a space, or got another role in it',
      class: 'permission',
      retention: 'security',
      ocsf: 'user-management/assign-roles',
    },
    'space.key-taken': {
      title: 'A member took over a key that was shared with them',
      class: 'security',
      retention: 'security',
      ocsf: 'datastore-activity/update',
    },
    'space.key-rotated': {
      title: 'The key of a space was changed, perhaps to remove members',
      class: 'security',
      retention: 'security',
      ocsf: 'datastore-activity/encrypt',
    },
    'space.left': {
      title: 'Somebody left a space',
      class: 'permission',
      retention: 'security',
      ocsf: 'user-management/remove-roles',
    },
    'memory.created': {
      title: 'A memory was stored',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/create',
    },
    'memory.updated': {
      title: 'A memory was changed',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/update',
    },
    'memory.deleted': {
      title: 'A memory was deleted',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/delete',
    },
    'memory.batch-written': {
      title: 'Several memories were stored or changed at once',
      class: 'data-change',
      retention: 'access',
      ocsf: 'datastore-activity/write',
    },
    'memory.read': {
      title: 'A memory was read',
      class: 'data-access',
      retention: 'access',
      ocsf: 'datastore-activity/read',
    },
    'memory.listed': {
      title: 'The memories of a space were read',
      class: 'data-access',
      retention: 'access',
      ocsf: 'datastore-activity/list',
    },
    'memory.versions-listed': {
      title: 'The versions of a memory were read',
      class: 'data-access',
      retention: 'access',
      ocsf: 'datastore-activity/list',
    },
    'memory.changes-listed': {
      title: 'Changes in a space were read',
      class: 'data-access',
      retention: 'access',
      ocsf: 'datastore-activity/query',
    },
  },
  routes: [...spaceRoutes, ...sharingRoutes, ...rotationRoutes, ...memoryRoutes, ...batchRoutes, ...changeRoutes],
} as const satisfies Manifest<Route<MemoriesServices>>;
