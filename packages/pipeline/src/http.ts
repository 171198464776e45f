/** The pipeline's own view of HTTP, so that an adapter for a framework stays a few lines. */

/** Of every answer over TLS. RFC 6797, two years. Not for subdomains: other services may live there. */
export const STRICT_TRANSPORT_SECURITY = 'max-age=63072000';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface PipelineRequest {
  readonly method: Method;
  /** Path as matched, without query; used for audit only together with the route's template. */
  readonly path: string;
  /** Values of the path template, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Header names in lower case. A repeated header is joined with `, ` except `cookie` (`; `). */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Address of the peer after the adapter's trusted-proxy rules. */
  readonly clientAddress: string;
  /** True when the request reached the service over TLS (its own or a trusted proxy's). */
  readonly secure: boolean;
  /** Reads the body. Rejects with `pipeline.body-too-large` once more than `limit` bytes arrived. */
  readonly body: (limit: number) => Promise<Uint8Array>;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface PipelineResponse {
  readonly status: number;
  /** Header names in lower case. `set-cookie` may repeat. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array | null;
}
