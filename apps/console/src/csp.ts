/**
 * What the browser may do on the console's pages. The server sends these; `index.html` holds the placeholder that becomes the nonce of
 * one answer. docs/design/console.md gives the reason for each directive.
 */

/** Stands in `index.html` wherever the nonce of the answer belongs. */
export const NONCE_PLACEHOLDER = '__STRONGROOM_NONCE__';

/** Names of the Trusted Types policies that the console creates: one, for the address of its own worker. */
export const TRUSTED_TYPES_POLICY = 'strongroom-worker';

/**
 * For `index.html`. `strict-dynamic`: what the page's own script imports is trusted, what anybody writes into the page is not.
 * Styles come from files only; scripts set single properties through the CSSOM, which is no inline style to the policy.
 */
export const pagePolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic' 'wasm-unsafe-eval'`,
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${TRUSTED_TYPES_POLICY}`,
  ].join('; ');

/**
 * For every script file. A worker does not inherit the page's policy: it obeys that of its own file. It compiles Argon2id, talks to its
 * own origin, and loads nothing more.
 */
export const assetPolicy =
  "default-src 'none'; script-src 'wasm-unsafe-eval'; connect-src 'self'; require-trusted-types-for 'script'";

/** Sent with the page and with every asset. */
export const isolationHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy':
    'accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), ' +
    'geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), ' +
    'serial=(), usb=(), xr-spatial-tracking=()',
} as const;

/**
 * Addresses that belong to the client, not to a file: the server answers them with the page. A segment of `$` stands for an id. Kept
 * beside the policy so that the server needs no part of the client to know them.
 */
export const clientRoutes = [
  '/',
  '/set-up',
  '/sign-in',
  '/recover',
  '/join',
  '/spaces/$',
  '/spaces/$/write',
  '/spaces/$/members',
  '/spaces/$/memories/$',
  '/spaces/$/memories/$/edit',
  '/spaces/$/memories/$/history',
  '/import',
  '/export',
  '/spaces',
  '/sessions',
  '/audit',
  '/account',
  '/account/password',
  '/account/recovery-code',
  '/account/email',
  '/account/delete',
  '/members',
  '/members/invite',
  '/members/$',
] as const;

/** Whether a browser asks for a page, for somebody who typed or followed an address, and not a program for data (Fetch Metadata §2.2). */
export const asksForPage = (headers: Readonly<Record<string, string | readonly string[] | undefined>>): boolean =>
  headers['sec-fetch-mode'] === 'navigate' && String(headers['accept'] ?? '').includes('text/html');
