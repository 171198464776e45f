import { audited, notAudited, publicRoute } from '@strongroom/pipeline';
import { AuthenticationError } from '../../errors.ts';
import { parametersByEmail, signInByAddress, signInByEmail } from '../../limits.ts';
import { sessionStarted, signIn, signInParameters, signInParametersRequest } from '../../wire.ts';
import { credentialByEmail, keyDerivationOf } from '../accounts.ts';
import { proved } from '../credential.ts';
import { defineRoute } from './define.ts';
import { startAndAnswer } from './started.ts';

export const signInParametersRoute = defineRoute({
  method: 'POST',
  path: '/v1/sign-in/parameters',
  summary: 'How the password of an account becomes keys; unknown accounts get an answer that looks the same',
  input: { body: signInParametersRequest },
  output: signInParameters,
  access: publicRoute('Asked before anybody can have proved who they are.'),
  assurance: 'none',
  limit: [signInByAddress, parametersByEmail],
  audit: notAudited('Says nothing that depends on whether the account exists; the sign-in that follows is recorded.'),
  async handler({ body, services, transaction }) {
    return { body: { keyDerivation: await keyDerivationOf(services, transaction, body.email) } };
  },
});

/**
 * Unknown account and wrong secret take the same path: one query, one keyed hash, one comparison, the same error. For the
 * same reason neither records whose account was meant.
 */
export const signInRoute = defineRoute({
  method: 'POST',
  path: '/v1/sessions',
  summary: 'Sign in',
  input: { body: signIn },
  output: sessionStarted,
  access: publicRoute('Signing in is how a caller becomes known.'),
  assurance: 'none',
  limit: [signInByAddress, signInByEmail],
  audit: audited('session.created'),
  status: 201,
  async handler(call) {
    const { body, services, transaction } = call;
    const known = await credentialByEmail(services, transaction, body.email);
    const credential = proved(services.encryption, known, body.authenticationSecret);
    if (credential === undefined) throw new AuthenticationError('authentication.sign-in-failed');
    // With several tenants: the one the account belonged to first, until clients can choose.
    const [membership] = await services.memberships.membershipsOf(transaction, credential.id);
    if (membership === undefined) throw new AuthenticationError('authentication.no-membership');
    const reply = await startAndAnswer(call, credential.id, membership, body);
    call.record({ object: { type: 'session', id: reply.body.session.id } });
    return reply;
  },
});
