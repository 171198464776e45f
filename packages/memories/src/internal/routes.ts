import type { ProfilePort } from '@strongroom/authorization';
import type { Encryption } from '@strongroom/encryption';
import type { Clock, Uuid } from '@strongroom/kernel';
import { defineRoutes, type Call, type RouteInput } from '@strongroom/pipeline';

/** What the room's handlers use. */
export interface MemoriesServices {
  readonly clock: Clock;
  readonly encryption: Encryption;
  readonly profiles: ProfilePort;
}

export const defineRoute = defineRoutes<MemoriesServices>();

/** What the write routes have in common, whatever their bodies are. */
export type WriteCall = Pick<Call<RouteInput, MemoriesServices>, 'account' | 'record' | 'services' | 'transaction'> & {
  readonly path: { readonly space: Uuid };
};
