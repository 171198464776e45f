import { audited, ownAccount } from '@strongroom/pipeline';
import { AuthenticationError } from '../../errors.ts';
import { passwordByAccount } from '../../limits.ts';
import { passwordChange, passwordChanged } from '../../wire.ts';
import { replacePassword } from '../account-changes.ts';
import { endOtherSessions } from '../session-endings.ts';
import { renewSession } from '../sessions.ts';
import { defineRoute } from './define.ts';
import { changingOwnAccount, ownView, provedByPassword } from './own-account.ts';
import { handOver } from './started.ts';

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
    const actor = changingOwnAccount(call);
    const password = await provedByPassword(call, body.authenticationSecret);
    const { record: stored } = await ownView(call);
    const secrets = {
      account: actor.account,
      stored,
      record: body.record,
      authenticationSecret: body.newAuthenticationSecret,
    };
    if (!(await replacePassword(services, transaction, secrets, password.verifier))) {
      throw new AuthenticationError('authentication.wrong-secret');
    }
    const endedSessions = await endOtherSessions(transaction, actor);
    const renewed = await renewSession(services, transaction, actor);
    call.record({ details: { endedSessions } });
    const { headers, token } = handOver(renewed, services.clock.now());
    return { headers, body: { token, account: await ownView(call), endedSessions } };
  },
});
