import { StrongroomError, type ErrorOptions, type ErrorTable } from '@strongroom/kernel';

export const pipelineErrors = {
  'pipeline.not-found': { status: 404, message: 'There is nothing here, or you may not know of it.' },
  'pipeline.method-not-allowed': { status: 405, message: 'This address does not answer to that method.' },
  'pipeline.unauthenticated': { status: 401, message: 'Sign in first.' },
  'pipeline.reauthentication-required': {
    status: 401,
    message: 'Confirm that it is you by giving your password again, then repeat the request.',
  },
  'pipeline.forbidden': { status: 403, message: 'You may not do that.' },
  'pipeline.cross-site': {
    status: 403,
    message: 'A request that changes something must come from this site itself when it carries a cookie.',
  },
  'pipeline.limited': { status: 429, message: 'Too many requests. Wait as long as Retry-After says, then try again.' },
  'pipeline.malformed-request': { status: 400, message: 'That is not a well-formed HTTP request.' },
  'pipeline.invalid-input': { status: 400, message: 'The request does not have the expected form.' },
  'pipeline.invalid-json': { status: 400, message: 'The body is not acceptable JSON.' },
  'pipeline.unexpected-body': { status: 400, message: 'This address takes no body.' },
  'pipeline.unsupported-media-type': {
    status: 415,
    message: 'Send the body as application/json in UTF-8, without a content encoding.',
  },
  'pipeline.body-too-large': { status: 413, message: 'The body is larger than this address accepts.' },
  'pipeline.header-too-large': { status: 431, message: 'The header of the request is too large.' },
  'pipeline.timeout': { status: 408, message: 'The request did not arrive in time.' },
  // 499 is no registered status: nobody reads it, the client has left. Logs commonly use it for exactly this.
  'pipeline.client-gone': {
    status: 499,
    message: 'The client closed the connection before the request was carried out.',
  },
  'pipeline.unavailable': {
    status: 503,
    message: 'What happened could not be recorded, so nothing was done. Try again later.',
  },
  'pipeline.output-mismatch': { status: 500, message: 'The answer was not of the declared form and was withheld.' },
  'pipeline.no-transaction': { status: 500, message: 'A stateless route has no transaction.' },
  'pipeline.unknown-route': { status: 500, message: 'The route is not one of this pipeline.' },
  'pipeline.invalid-routes': { status: 500, message: 'The declared routes cannot be served.' },
  'pipeline.internal': {
    status: 500,
    message: 'Something went wrong on our side. The request id helps the operator to find out what.',
  },
} as const satisfies ErrorTable;

export type PipelineErrorCode = keyof typeof pipelineErrors;

export class PipelineError extends StrongroomError<PipelineErrorCode> {
  constructor(code: PipelineErrorCode, options?: ErrorOptions) {
    super(pipelineErrors, code, options);
  }
}
