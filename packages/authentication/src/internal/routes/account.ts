import { notAudited, ownAccount } from '@strongroom/pipeline';
import { AuthenticationError } from '../../errors.ts';
import { ordinary } from '../../limits.ts';
import { account } from '../../wire.ts';
import { accountView } from '../accounts.ts';
import { defineRoute } from './define.ts';

export const accountRoute = defineRoute({
  method: 'GET',
  path: '/v1/account',
  summary: 'Your profile and your sealed account record',
  input: {},
  output: account,
  access: ownAccount('account.read'),
  assurance: 'session',
  limit: [ordinary],
  audit: notAudited('Reads what concerns the caller only.'),
  async handler({ services, transaction, account }) {
    const actor = account();
    const memberships = await services.memberships.membershipsOf(transaction, actor.account);
    const membership = memberships.find(({ tenant }) => tenant === actor.tenant);
    if (membership === undefined) throw new AuthenticationError('authentication.no-membership');
    return { body: await accountView(services.encryption, transaction, actor.account, membership) };
  },
});
