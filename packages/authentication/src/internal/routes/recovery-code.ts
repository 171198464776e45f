import { toBase64Url } from '@strongroom/kernel';
import { audited, ownAccount } from '@strongroom/pipeline';
import { AuthenticationError } from '../../errors.ts';
import { recoveryCodeByAccount } from '../../limits.ts';
import { account as accountSchema, recoveryCodeRenewal } from '../../wire.ts';
import { replaceRecoveryCode } from '../account-changes.ts';
import { ownCredential } from '../accounts.ts';
import { proved } from '../credential.ts';
import { defineRoute } from './define.ts';
import { changingOwnAccount, ownView, provedByPassword } from './own-account.ts';

/** For whoever lost the printed code, or showed it to somebody. Recoveries that were begun with the former code end with it. */
export const renewRecoveryCodeRoute = defineRoute({
  method: 'PUT',
  path: '/v1/account/recovery-code',
  summary: 'Put a new recovery code in place of the present one. Repeating the same request changes nothing',
  input: { body: recoveryCodeRenewal },
  output: accountSchema,
  access: ownAccount('account.manage'),
  assurance: 'reauthenticated',
  limit: [recoveryCodeByAccount],
  audit: audited('account.recovery-code-renewed'),
  async handler(call) {
    const { body, services, transaction } = call;
    const actor = changingOwnAccount(call);
    // Whoever has the session only could make a code of their own, and with it another password.
    const password = await provedByPassword(call, body.authenticationSecret);
    // Before the record: whatever changes after this statement changes the verifier too, and then nothing is replaced.
    const recovery = await ownCredential(transaction, actor, 'recovery');
    const view = await ownView(call);
    const stored = view.record.accountKeyByRecovery;
    const known = proved(services.encryption, recovery, body.recoveryAuthenticationSecret, 'recovery') !== undefined;
    const repeated = known && stored === toBase64Url(body.accountKeyByRecovery);
    if (repeated) {
      call.record({ details: { repeated } });
      return { body: view };
    }
    const code = {
      account: actor.account,
      recoveryAuthenticationSecret: body.recoveryAuthenticationSecret,
      accountKeyByRecovery: body.accountKeyByRecovery,
    };
    // Under the former verifier or the former wrap the former code would go on opening something.
    const isNew = !known && stored !== toBase64Url(body.accountKeyByRecovery);
    const renewed =
      recovery !== undefined &&
      isNew &&
      stored === toBase64Url(body.replaces) &&
      (await replaceRecoveryCode(services, transaction, code, {
        password: password.verifier,
        recovery: recovery.verifier,
      }));
    if (!renewed) throw new AuthenticationError('authentication.recovery-code-replaced');
    call.record({ details: { repeated } });
    return { body: await ownView(call) };
  },
});
