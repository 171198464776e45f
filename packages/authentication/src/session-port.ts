import { anonymous, type Uuid } from '@strongroom/kernel';
import type { Identity, SessionPort } from '@strongroom/pipeline';
import { inInstallation, type Transaction } from '@strongroom/storage';
import { AuthenticationError } from './errors.ts';
import { presentedCredential } from './internal/cookie.ts';
import { withdrawInvitationsOf } from './internal/invitations.ts';
import { endAllSessions } from './internal/session-endings.ts';
import { resumeSession } from './internal/sessions.ts';
import { sessionTokenHash } from './internal/token.ts';
import type { AuthenticationServices, Role } from './services.ts';

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
      const tokenHash = sessionTokenHash(services.encryption, presented.token);
      if (tokenHash === undefined) throw new AuthenticationError('authentication.invalid-session');
      const session = await services.database.transaction(inInstallation, (transaction) =>
        resumeSession(services, transaction, { tokenHash, transport }),
      );
      if (session === undefined) throw new AuthenticationError('authentication.invalid-session');
      const assurance = session.reauthenticated ? 'reauthenticated' : 'session';
      return { actor: session.actor, assurance, credential: transport };
    },
  };
}

interface TenantMember {
  readonly tenant: Uuid;
  readonly account: Uuid;
}

/** For rooms that take somebody out of a tenant. */
export interface SessionEndings {
  endIn(transaction: Transaction, member: TenantMember): Promise<void>;
  /** Of the roles. Answers with how many of those that the member made could still have been used at `now`, in milliseconds. */
  withdrawInvitationsIn(
    transaction: Transaction,
    member: TenantMember,
    invitations: { readonly roles: readonly Role[]; readonly now: number },
  ): Promise<number>;
}

export const sessionEndings: SessionEndings = {
  async endIn(transaction, { tenant, account }) {
    await endAllSessions(transaction, { tenant, account });
  },

  withdrawInvitationsIn: (transaction, { tenant, account }, { roles, now }) =>
    withdrawInvitationsOf(transaction, account, now, { tenant, roles }),
};
