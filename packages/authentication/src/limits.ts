/**
 * How often. The limits by input bound guesses per account wherever they come from:
 *
 * - sign-in: 10 at once and 4 an hour, so at most 106 guesses at one account in any 24 hours (SP 800-63B-4 §3.2.2 allows 100
 *   consecutive failures). Somebody who keeps guessing at an address makes its owner wait up to 15 minutes for a *new*
 *   sign-in; devices that are signed in notice nothing. A signed device cookie will lift that for known devices.
 * - an invitation's holder can ask 10 times a day whether some address has an account here.
 *
 * The limits by address keep one client from wearing the others out; they are per process.
 */
import type { LimitPolicy } from '@strongroom/pipeline';
import { parseEmail } from './email.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** For routes that a signed-in client calls while working. */
export const ordinary: LimitPolicy = {
  name: 'authentication.ordinary',
  by: 'account',
  burst: 60,
  rate: 120,
  periodSeconds: 60,
  store: 'process',
};

export const signInByAddress: LimitPolicy = {
  name: 'authentication.sign-in.address',
  by: 'address',
  burst: 30,
  rate: 30,
  periodSeconds: 60,
  store: 'process',
};

export const signInByEmail: LimitPolicy = {
  name: 'authentication.sign-in.email',
  by: 'input',
  keyOf: emailOf,
  burst: 10,
  rate: 4,
  periodSeconds: HOUR,
  store: 'durable',
};

/** Wider than sign-in, which needs one of these first: it must never be this one that keeps an owner out. */
export const parametersByEmail: LimitPolicy = {
  name: 'authentication.parameters.email',
  by: 'input',
  keyOf: emailOf,
  burst: 40,
  rate: 40,
  periodSeconds: HOUR,
  store: 'durable',
};

export const signUpByAddress: LimitPolicy = {
  name: 'authentication.sign-up.address',
  by: 'address',
  burst: 20,
  rate: 60,
  periodSeconds: HOUR,
  store: 'process',
};

export const signUpByInvitation: LimitPolicy = {
  name: 'authentication.sign-up.invitation',
  by: 'input',
  keyOf: ({ body }) => String((body as { invitation: Uint8Array }).invitation),
  burst: 10,
  rate: 10,
  periodSeconds: DAY,
  store: 'durable',
};

/** As many guesses as at sign-in, for whoever sits before a session somebody left open. */
export const reauthenticationByAccount: LimitPolicy = {
  name: 'authentication.reauthentication.account',
  by: 'account',
  burst: 10,
  rate: 4,
  periodSeconds: HOUR,
  store: 'durable',
};

/** As at sign-in, in buckets of their own: somebody who guesses passwords keeps nobody from recovering. */
export const recoveryByEmail: LimitPolicy = {
  name: 'authentication.recovery.email',
  by: 'input',
  keyOf: emailOf,
  burst: 10,
  rate: 4,
  periodSeconds: HOUR,
  store: 'durable',
};

export const recoveryByAddress: LimitPolicy = {
  name: 'authentication.recovery.address',
  by: 'address',
  burst: 20,
  rate: 20,
  periodSeconds: 60,
  store: 'process',
};

/** Each try of the current secret counts, and each change ends sessions elsewhere. */
export const passwordByAccount: LimitPolicy = {
  name: 'authentication.password.account',
  by: 'account',
  burst: 10,
  rate: 10,
  periodSeconds: HOUR,
  store: 'durable',
};

/** Each renewal makes a printed kit worthless; whoever has lost one needs one. */
export const recoveryCodeByAccount: LimitPolicy = {
  name: 'authentication.recovery-code.account',
  by: 'account',
  burst: 10,
  rate: 10,
  periodSeconds: HOUR,
  store: 'durable',
};

/** The answer tells whether an address has an account here: as often as to the holder of an invitation. */
export const emailByAccount: LimitPolicy = {
  name: 'authentication.email.account',
  by: 'account',
  burst: 10,
  rate: 10,
  periodSeconds: DAY,
  store: 'durable',
};

export const deletionByAccount: LimitPolicy = {
  name: 'authentication.deletion.account',
  by: 'account',
  burst: 10,
  rate: 10,
  periodSeconds: HOUR,
  store: 'durable',
};

export const invitationsByAccount: LimitPolicy = {
  name: 'authentication.invitation.account',
  by: 'account',
  burst: 20,
  rate: 50,
  periodSeconds: DAY,
  store: 'durable',
};

/** One bucket for every spelling of an address. What is no address at all is refused by the handler; here it gets a bucket of its own. */
function emailOf({ body }: { readonly body: unknown }): string {
  const { email } = body as { email: string };
  try {
    return parseEmail(email);
  } catch {
    return email;
  }
}
