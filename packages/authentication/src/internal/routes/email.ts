import { audited, ownAccount } from '@strongroom/pipeline';
import { emailByAccount } from '../../limits.ts';
import { account as accountSchema, emailChange } from '../../wire.ts';
import { replaceEmail } from '../account-changes.ts';
import { defineRoute } from './define.ts';
import { changingOwnAccount, ownView } from './own-account.ts';

/** The event says that the address changed, never which it was or is. */
export const changeEmailRoute = defineRoute({
  method: 'PUT',
  path: '/v1/account/email',
  summary: 'Change the e-mail address you sign in with',
  input: { body: emailChange },
  output: accountSchema,
  access: ownAccount('account.manage'),
  assurance: 'reauthenticated',
  limit: [emailByAccount],
  audit: audited('account.email-changed'),
  async handler(call) {
    const { account } = changingOwnAccount(call);
    await replaceEmail(call.services, call.transaction, account, call.body.email);
    return { body: await ownView(call) };
  },
});
