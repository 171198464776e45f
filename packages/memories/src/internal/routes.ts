import type { Clock, Uuid } from '@strongroom/kernel';
import { defineRoutes, type Call, type RouteInput } from '@strongroom/pipeline';

/** What the room's handlers use. */
export interface MemoriesServices {
  readonly clock: Clock;
}

export const defineRoute = defineRoutes<MemoriesServices>();

/** What the write routes have in common, whatever their bodies are. */
export type WriteCall = Pick<Call<RouteInput, MemoriesServices>, 'account' | 'record' | 'services' | 'transaction'> & {
  readonly path: { readonly space: Uuid };
};
