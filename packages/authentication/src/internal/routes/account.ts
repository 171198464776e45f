import { notAudited, ownAccount } from '@strongroom/pipeline';
import { ordinary } from '../../limits.ts';
import { account } from '../../wire.ts';
import { defineRoute } from './define.ts';
import { ownView } from './own-account.ts';

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
    return { body: await ownView(call) };
  },
});
