import { inInstallation } from '@strongroom/storage';
import { replaceSetupInvitation } from './internal/invitations.ts';
import type { AuthenticationServices } from './services.ts';

/**
 * While the installation has no account: a fresh set-up token for the link that makes its holder the first owner, good for 24
 * hours; all former ones are void from then on. Once there is an account: null, for good. Called at every start, so the token
 * that counts is the one printed last.
 */
export function ensureSetupInvitation(services: AuthenticationServices): Promise<string | null> {
  return services.database.transaction(inInstallation, (transaction) => replaceSetupInvitation(services, transaction));
}
