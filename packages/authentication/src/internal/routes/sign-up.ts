import { audited, publicRoute } from '@strongroom/pipeline';
import { signUpByAddress, signUpByInvitation } from '../../limits.ts';
import { sessionStarted, signUp } from '../../wire.ts';
import { insertAccount } from '../accounts.ts';
import { acceptInvitation } from '../invitations.ts';
import { defineRoute } from './define.ts';
import { startAndAnswer } from './started.ts';

/** Account, membership, session and the use of the invitation are one transaction: all of it happens, or none. */
export const signUpRoute = defineRoute({
  method: 'POST',
  path: '/v1/accounts',
  summary: 'Create an account with an invitation and sign in to it',
  input: { body: signUp },
  output: sessionStarted,
  access: publicRoute('Whoever signs up has no account yet; the invitation is the permission.'),
  assurance: 'none',
  limit: [signUpByAddress, signUpByInvitation],
  audit: audited('account.created'),
  status: 201,
  async handler(call) {
    const { body, services, transaction } = call;
    const { account } = body.record;
    const membership = await acceptInvitation(services, transaction, body.invitation);
    await insertAccount(services, transaction, body);
    await services.memberships.add(transaction, { ...membership, account });
    call.record({ object: { type: 'account', id: account }, details: { role: membership.role } });
    return startAndAnswer(call, account, membership, body);
  },
});
