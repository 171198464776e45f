/** E-mail addresses: one spelling per mailbox before anything else looks at them. */
import { domainToASCII } from 'node:url';
import { AuthenticationError } from './errors.ts';
import { MAXIMUM_EMAIL_LENGTH } from './wire.ts';

/** RFC 5321 §4.5.3.1.1, in octets. */
const MAXIMUM_LOCAL_PART_BYTES = 64;
/** Local parts that need no quotes (RFC 5322 §3.4.1, RFC 6531 for letters beyond ASCII). Quoted ones hide spaces and commas. */
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** RFC 1035 §2.3.4 labels, at least two of them. */
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

declare const emailBrand: unique symbol;
/** Normalised: this is what is encrypted, indexed and compared. */
export type Email = string & { readonly [emailBrand]: true };

/**
 * Normalises first and validates the result, never the other way round: compatibility characters become ordinary ones
 * (a full-width `＠` is an `@`), everything is lower case, the domain is in its ASCII form. Upper and lower case
 * are one mailbox here; in theory a mail server may tell them apart, in practice that only helps impostors.
 * Throws `authentication.invalid-email`.
 */
export function parseEmail(typed: string): Email {
  const text = typed.normalize('NFKC').trim().toLowerCase().normalize('NFKC');
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const domain = domainToASCII(text.slice(at + 1));
  const email = `${local}@${domain}`;
  if (
    !LOCAL_PART.test(local) ||
    Buffer.byteLength(local) > MAXIMUM_LOCAL_PART_BYTES ||
    !DOMAIN.test(domain) ||
    Buffer.byteLength(email) > MAXIMUM_EMAIL_LENGTH
  ) {
    throw new AuthenticationError('authentication.invalid-email');
  }
  return email as Email;
}

/**
 * For lists and logs that an operator reads: `anna@mail.example.org` becomes `a…@m….org`. Lengths are not shown, since a
 * known domain and the length of a name give many people away.
 */
export function maskEmail(email: Email): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  return `${firstCharacter(email)}…@${firstCharacter(domain)}…${domain.slice(domain.lastIndexOf('.'))}`;
}

const firstCharacter = (text: string): string => String.fromCodePoint(text.codePointAt(0)!);
