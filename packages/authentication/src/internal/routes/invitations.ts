import { audited, inCurrentTenant, notAudited, pageOf } from '@strongroom/pipeline';
import { z } from 'zod';
import { invitationsByAccount, ordinary } from '../../limits.ts';
import { PAGE_ITEMS, invitation, invitationList, invitationPath, invitationQuery, newInvitation } from '../../wire.ts';
import { invite, listInvitations, withdrawInvitation } from '../invitations.ts';
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
    const { id, token, expiresAt } = await invite(services, transaction, account(), body.role);
    record({ object: { type: 'invitation', id } });
    return { body: { id, token, role: body.role, expiresAt: expiresAt.toISOString() } };
  },
});

export const listInvitationsRoute = defineRoute({
  method: 'GET',
  path: '/v1/invitations',
  summary: 'The open invitations of your tenant, newest first; never their tokens',
  input: { query: invitationQuery },
  output: invitationList,
  access: inCurrentTenant('invitation.create'),
  assurance: 'session',
  limit: [ordinary],
  audit: notAudited('Shows roles and times of invitations to those who may make and withdraw them.'),
  async handler({ query, services, transaction, account }) {
    const of = { tenant: account().tenant, now: services.clock.now() };
    const found = await listInvitations(transaction, of, { before: query.cursor, limit: PAGE_ITEMS + 1 });
    const { rows, next } = pageOf(found, PAGE_ITEMS);
    return {
      body: {
        items: rows.map((open) => ({
          ...open,
          createdAt: open.createdAt.toISOString(),
          expiresAt: open.expiresAt.toISOString(),
        })),
        next,
      },
    };
  },
});

export const withdrawInvitationRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/invitations/{invitation}',
  summary: 'Withdraw an open invitation of your tenant',
  input: { path: invitationPath },
  output: z.null(),
  access: inCurrentTenant('invitation.create'),
  assurance: 'session',
  limit: [ordinary],
  audit: audited('invitation.withdrawn'),
  async handler({ path, services, transaction, account, record }) {
    record({ object: { type: 'invitation', id: path.invitation } });
    await withdrawInvitation(services, transaction, { tenant: account().tenant, id: path.invitation });
    return { body: null };
  },
});
