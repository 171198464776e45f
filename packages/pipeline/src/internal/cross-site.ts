/**
 * Was this request started by our own pages? Needed only where a browser attaches the credential by itself (a
 * cookie). Fetch Metadata says it best: no page can set or change `sec-fetch-site`
 * (https://www.w3.org/TR/fetch-metadata/). Browsers leave it out for plain-HTTP addresses, there `Origin` decides.
 * With neither, nothing proves that the request is ours.
 */
import type { PipelineRequest } from '../http.ts';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * `ownOrigin`: where the service is published; when absent it follows from `host` and whether the request came over
 * TLS.
 */
export function comesFromOwnSite(
  request: Pick<PipelineRequest, 'method' | 'headers' | 'secure'>,
  ownOrigin?: string,
): boolean {
  if (SAFE_METHODS.has(request.method)) return true;
  const site = request.headers['sec-fetch-site'];
  // `none`: started by the person (address bar, bookmark), not by a page.
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = request.headers['origin'];
  if (origin === undefined) return false;
  return origin === (ownOrigin ?? originOf(request));
}

/**
 * Comparing with `host` is sound for cookies: a page under a foreign name (DNS rebinding) gets that name into `host`
 * and `origin` alike, but the browser does not send our cookie to that name.
 */
function originOf(request: Pick<PipelineRequest, 'headers' | 'secure'>): string | null {
  const host = request.headers['host'];
  return host === undefined ? null : `${request.secure ? 'https' : 'http'}://${host.toLowerCase()}`;
}
