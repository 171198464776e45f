/** All rooms in floor order: a room after those whose tables its migrations refer to. */
import { manifest as auditLog } from '@strongroom/audit-log';
import { manifest as authentication } from '@strongroom/authentication';
import { manifest as authorization } from '@strongroom/authorization';
import { manifest as encryption } from '@strongroom/encryption';
import type { Manifest } from '@strongroom/kernel';
import { manifest as memories } from '@strongroom/memories';
import type { Route } from '@strongroom/pipeline';
import { manifest as rateLimiting } from '@strongroom/rate-limiting';
import { manifest as storage } from '@strongroom/storage';
import { manifest as backups } from './backups.ts';
import { manifest as columns } from './columns.ts';
import { manifest as coverage } from './covered-tables.ts';
import { manifest as installation } from './installation.ts';
import { manifest as keys } from './key-routes.ts';
import { manifest as operator } from './operator.ts';
import { manifest as service } from './service.ts';
import type { Services } from './services.ts';

/** That `Services` is enough for every handler and every job is checked here, by the compiler. */
export const rooms: readonly Manifest<Route<Services>, Services>[] = [
  storage,
  installation,
  encryption,
  rateLimiting,
  authentication,
  authorization,
  auditLog,
  memories,
  service,
  operator,
  backups,
  keys,
  columns,
  coverage,
];

/** Every declared route. */
export const routes: readonly Route<Services>[] = rooms.flatMap((room) => room.routes ?? []);
