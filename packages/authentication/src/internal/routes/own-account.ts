/** Steps that routes about the caller's own account share. */
import type { AccountActor } from '@strongroom/kernel';
import type { Call, RouteInput } from '@strongroom/pipeline';
import type { z } from 'zod';
import { AuthenticationError } from '../../errors.ts';
import type { AuthenticationServices, Membership } from '../../services.ts';
import type { account as accountSchema } from '../../wire.ts';
import { accountView, ownCredential, type Credential } from '../accounts.ts';
import { proved } from '../credential.ts';

type OwnCall = Pick<Call<RouteInput, AuthenticationServices>, 'account' | 'record' | 'services' | 'transaction'>;

/** The caller, whose account the event names whatever comes of the change. */
export function changingOwnAccount(call: OwnCall): AccountActor {
  const actor = call.account();
  call.record({ object: { type: 'account', id: actor.account }, subjects: [actor.account] });
  return actor;
}

/**
 * For what a session alone must not do. Throws `authentication.wrong-secret`, which is 403 and not 401: the session is good, and clients take 401 for
 * its end.
 */
export async function provedByPassword(call: OwnCall, authenticationSecret: Uint8Array): Promise<Credential> {
  const { services, transaction } = call;
  const password = proved(services.encryption, await ownCredential(transaction, call.account()), authenticationSecret);
  if (password === undefined) throw new AuthenticationError('authentication.wrong-secret');
  return password;
}

/** The account's membership in the session's tenant. Throws `authentication.no-membership` when it left meanwhile. */
export async function ownMembership({ account, services, transaction }: OwnCall): Promise<Membership> {
  const actor = account();
  const memberships = await services.memberships.membershipsOf(transaction, actor.account);
  const membership = memberships.find(({ tenant }) => tenant === actor.tenant);
  if (membership === undefined) throw new AuthenticationError('authentication.no-membership');
  return membership;
}

/** The caller's account as it is now. Throws as `ownMembership` and `accountView` do. */
export async function ownView(call: OwnCall): Promise<z.input<typeof accountSchema>> {
  const membership = await ownMembership(call);
  return accountView(call.services.encryption, call.transaction, call.account().account, membership);
}
