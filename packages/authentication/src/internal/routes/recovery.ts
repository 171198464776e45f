import { audited, publicRoute } from '@strongroom/pipeline';
import { AuthenticationError } from '../../errors.ts';
import { recoveryByAddress, recoveryByEmail } from '../../limits.ts';
import { recoveryFinish, recoveryStart, recoveryStarted, sessionStarted } from '../../wire.ts';
import { replaceRecovered } from '../account-changes.ts';
import { accountView, credentialByEmail } from '../accounts.ts';
import { proved } from '../credential.ts';
import { acceptRecovery, issueRecovery } from '../recovery.ts';
import { endAllSessions } from '../session-endings.ts';
import { defineRoute } from './define.ts';
import { startAndAnswer } from './started.ts';

/** Unknown account and wrong code take the same path, as at sign-in, and neither records whose account was meant. */
export const startRecoveryRoute = defineRoute({
  method: 'POST',
  path: '/v1/recovery',
  summary: 'Prove the recovery code; gives the sealed account record and a quarter of an hour to set a new password',
  input: { body: recoveryStart },
  output: recoveryStarted,
  access: publicRoute('Whoever lost the password has no session; the recovery code is the proof.'),
  assurance: 'none',
  limit: [recoveryByAddress, recoveryByEmail],
  audit: audited('account.recovery-started'),
  status: 201,
  async handler({ body, services, transaction, record }) {
    const { encryption } = services;
    const known = await credentialByEmail(services, transaction, body.email, 'recovery');
    const credential = proved(encryption, known, body.recoveryAuthenticationSecret, 'recovery');
    if (credential === undefined) throw new AuthenticationError('authentication.recovery-failed');
    const [membership] = await services.memberships.membershipsOf(transaction, credential.id);
    if (membership === undefined) throw new AuthenticationError('authentication.no-membership');
    const { token, expiresAt } = await issueRecovery(services, transaction, credential);
    const view = await accountView(encryption, transaction, credential.id, membership);
    record({
      tenant: membership.tenant,
      object: { type: 'account', id: credential.id },
      subjects: [credential.id],
    });
    return { body: { token, expiresAt: expiresAt.toISOString(), record: view.record } };
  },
});

/** New password, new recovery code, every session ended, a new one started: one transaction. */
export const finishRecoveryRoute = defineRoute({
  method: 'PUT',
  path: '/v1/recovery',
  summary:
    'Set a new password and a new recovery code after a proof of the old one. All sessions end, and a new one starts',
  input: { body: recoveryFinish },
  output: sessionStarted,
  access: publicRoute('The secret from the first step is the permission, once.'),
  assurance: 'none',
  limit: [recoveryByAddress],
  audit: audited('account.recovered'),
  async handler(call) {
    const { body, services, transaction } = call;
    const { account, verifier } = await acceptRecovery(services, transaction, body.token);
    const [membership] = await services.memberships.membershipsOf(transaction, account);
    if (membership === undefined) throw new AuthenticationError('authentication.no-membership');
    const { record: stored } = await accountView(services.encryption, transaction, account, membership);
    const secrets = {
      account,
      stored,
      record: body.record,
      authenticationSecret: body.authenticationSecret,
      recoveryAuthenticationSecret: body.recoveryAuthenticationSecret,
    };
    if (!(await replaceRecovered(services, transaction, secrets, verifier))) {
      throw new AuthenticationError('authentication.invalid-recovery');
    }
    const endedSessions = await endAllSessions(transaction, { account });
    call.record({ object: { type: 'account', id: account }, details: { endedSessions } });
    return startAndAnswer(call, account, membership, body);
  },
});
