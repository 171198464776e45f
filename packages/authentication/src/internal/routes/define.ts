import { defineRoutes } from '@strongroom/pipeline';
import type { AccountLifeServices, AuthenticationServices } from '../../services.ts';

export const defineRoute = defineRoutes<AuthenticationServices>();

/** For routes that reach beyond this room. */
export const defineLifeRoute = defineRoutes<AccountLifeServices>();
