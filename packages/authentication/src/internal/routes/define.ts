import { defineRoutes } from '@strongroom/pipeline';
import type { AccountLifeServices, AddressServices, AuthenticationServices } from '../../services.ts';

export const defineRoute = defineRoutes<AuthenticationServices & AddressServices>();

/** For routes that reach beyond this room. */
export const defineLifeRoute = defineRoutes<AccountLifeServices>();
