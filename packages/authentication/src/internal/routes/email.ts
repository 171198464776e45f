import { audited, ownAccount } from '@strongroom/pipeline';
import { emailByAccount } from '../../limits.ts';
import { account as accountSchema, emailChange } from '../../wire.ts';
import { replaceEmail } from '../account-changes.ts';
import { accountView } from '../accounts.ts';
import { defineRoute } from './define.ts';
import { membershipOf } from './started.ts';

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
    const { body, services, transaction } = call;
    const actor = call.account();
    call.record({ object: { type: 'account', id: actor.account }, subjects: [actor.account] });
    await replaceEmail(services, transaction, actor.account, body.email);
    const membership = await membershipOf(call, actor);
    return { body: await accountView(services.encryption, transaction, actor.account, membership) };
  },
});
