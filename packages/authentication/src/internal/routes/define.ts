import { defineRoutes } from '@strongroom/pipeline';
import type { AuthenticationServices } from '../../services.ts';

export const defineRoute = defineRoutes<AuthenticationServices>();
