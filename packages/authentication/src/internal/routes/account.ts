import { notAudited, ownAccount } from '@strongroom/pipeline';
import { ordinary } from '../../limits.ts';
import { account } from '../../wire.ts';
import { accountView } from '../accounts.ts';
import { defineRoute } from './define.ts';
import { membershipOf } from './started.ts';

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
  async handler(call) {
    const actor = call.account();
    const membership = await membershipOf(call, actor);
    return { body: await accountView(call.services.encryption, call.transaction, actor.account, membership) };
  },
});
