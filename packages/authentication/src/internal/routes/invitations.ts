import { audited, inCurrentTenant } from '@strongroom/pipeline';
import { invitationsByAccount } from '../../limits.ts';
import { invitation, newInvitation } from '../../wire.ts';
import { invite } from '../invitations.ts';
import { defineRoute } from './define.ts';

export const inviteRoute = defineRoute({
  method: 'POST',
  path: '/v1/invitations',
  summary: 'Invite somebody into your tenant, up to your own role. The token is shown once',
  input: { body: newInvitation },
  output: invitation,
  access: inCurrentTenant('invitation.create'),
  assurance: 'reauthenticated',
  limit: [invitationsByAccount],
  audit: audited('invitation.created'),
  status: 201,
  async handler({ body, services, transaction, account, record }) {
    record({ details: { role: body.role } });
    const { token, expiresAt } = await invite(services, transaction, account(), body.role);
    return { body: { token, role: body.role, expiresAt: expiresAt.toISOString() } };
  },
});
