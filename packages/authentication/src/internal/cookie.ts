/** The session cookie, and where a request carries its credential. */
import type { PipelineRequest } from '@strongroom/pipeline';
import { AuthenticationError } from '../errors.ts';

/** The prefix makes browsers insist on Secure, Path=/ and no Domain: no other host, not even a subdomain, can set it. */
const NAME = '__Host-strongroom';

/**
 * Strict costs nothing here: no page is rendered for a session, and what a page fetches from its own origin is same-site
 * whatever link the person followed to get to the page.
 */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

export const setCookie = (token: string, seconds: number): string =>
  `${NAME}=${token}; ${ATTRIBUTES}; Max-Age=${seconds}`;

export const clearCookie = `${NAME}=; ${ATTRIBUTES}; Max-Age=0`;

export type Presented =
  | { readonly transport: 'none' }
  | { readonly transport: 'cookie'; readonly token: string }
  | { readonly transport: 'bearer'; readonly token: string };

/**
 * The credential as presented, not yet judged. Throws `authentication.invalid-session` when there is more than one (which
 * would be used must not depend on who reads first) or the `Authorization` header is not a bearer token's.
 */
export function presentedCredential(headers: PipelineRequest['headers']): Presented {
  const authorization = headers['authorization'];
  const cookies = sessionCookies(headers['cookie']);
  if (cookies.length + (authorization === undefined ? 0 : 1) > 1) {
    throw new AuthenticationError('authentication.invalid-session');
  }
  if (authorization !== undefined) {
    // RFC 6750 §2.1; the scheme is case-insensitive (RFC 9110 §11.1).
    const token = /^bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
    if (token === undefined) throw new AuthenticationError('authentication.invalid-session');
    return { transport: 'bearer', token };
  }
  const [token] = cookies;
  return token === undefined ? { transport: 'none' } : { transport: 'cookie', token };
}

function sessionCookies(header: string | undefined): string[] {
  if (header === undefined) return [];
  const prefix = `${NAME}=`;
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
}
