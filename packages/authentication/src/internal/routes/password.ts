import { audited, ownAccount } from '@strongroom/pipeline';
import { AuthenticationError } from '../../errors.ts';
import { passwordByAccount } from '../../limits.ts';
import { passwordChange, passwordChanged } from '../../wire.ts';
import { replacePassword } from '../account-changes.ts';
import { accountView, ownCredential } from '../accounts.ts';
import { setCookie } from '../cookie.ts';
import { proves } from '../credential.ts';
import { endOtherSessions, renewSession } from '../session-endings.ts';
import { defineRoute } from './define.ts';
import { membershipOf } from './started.ts';

/** Other sessions end in the same transaction: whoever had the old password has nothing any more. */
export const changePasswordRoute = defineRoute({
  method: 'PUT',
  path: '/v1/account/password',
  summary: 'Change the password. All other sessions end, and this one gets a new token',
  input: { body: passwordChange },
  output: passwordChanged,
  access: ownAccount('account.manage'),
  assurance: 'reauthenticated',
  limit: [passwordByAccount],
  audit: audited('account.password-changed'),
  async handler(call) {
    const { body, services, transaction } = call;
    const actor = call.account();
    call.record({ object: { type: 'account', id: actor.account }, subjects: [actor.account] });
    const credential = await ownCredential(transaction, actor);
    if (!proves(services.encryption, credential, body.authenticationSecret) || credential === undefined) {
      throw new AuthenticationError('authentication.wrong-secret');
    }
    const membership = await membershipOf(call, actor);
    const view = await accountView(services.encryption, transaction, actor.account, membership);
    const secrets = {
      account: actor.account,
      stored: view.record,
      record: body.record,
      authenticationSecret: body.newAuthenticationSecret,
    };
    if (!(await replacePassword(services, transaction, secrets, credential.verifier))) {
      throw new AuthenticationError('authentication.wrong-secret');
    }
    const endedSessions = await endOtherSessions(transaction, actor);
    const renewed = await renewSession(services, transaction, actor);
    call.record({ details: { endedSessions } });
    const seconds = Math.floor((renewed.expiresAt.getTime() - services.clock.now()) / 1000);
    const inCookie = renewed.transport === 'cookie';
    return {
      headers: inCookie ? { 'set-cookie': setCookie(renewed.token, seconds) } : {},
      body: {
        token: inCookie ? null : renewed.token,
        account: await accountView(services.encryption, transaction, actor.account, membership),
        endedSessions,
      },
    };
  },
});
