import { anonymous, type Uuid } from '@strongroom/kernel';
import type { Identity, SessionPort } from '@strongroom/pipeline';
import { inInstallation, type Transaction } from '@strongroom/storage';
import { AuthenticationError } from './errors.ts';
import { presentedCredential } from './internal/cookie.ts';
import { endAllSessions } from './internal/session-endings.ts';
import { resumeSession } from './internal/sessions.ts';
import { parseToken } from './internal/token.ts';
import type { AuthenticationServices } from './services.ts';

/**
 * Recognises callers by session cookie or bearer token. Whatever is presented and no live session's token (malformed, unknown,
 * expired, revoked, of the other kind, or more than one credential) is refused with the same 401.
 */
export function sessionPort(services: AuthenticationServices): SessionPort {
  return {
    async identify(request): Promise<Identity> {
      const presented = presentedCredential(request.headers);
      if (presented.transport === 'none') return { actor: anonymous, assurance: 'none', credential: 'none' };
      const { transport } = presented;
      const token = parseToken(presented.token);
      if (token === undefined) throw new AuthenticationError('authentication.invalid-session');
      const session = await services.database.transaction(inInstallation, (transaction) =>
        resumeSession(services, transaction, { token, transport }),
      );
      if (session === undefined) throw new AuthenticationError('authentication.invalid-session');
      const assurance = session.reauthenticated ? 'reauthenticated' : 'session';
      return { actor: session.actor, assurance, credential: transport };
    },
  };
}

/** For rooms that take somebody out of a tenant. */
export interface SessionEndings {
  endIn(transaction: Transaction, member: { readonly tenant: Uuid; readonly account: Uuid }): Promise<void>;
}

export const sessionEndings: SessionEndings = {
  async endIn(transaction, { tenant, account }) {
    await endAllSessions(transaction, { tenant, account });
  },
};
