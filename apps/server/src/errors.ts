import { type ErrorOptions, type ErrorTable, StrongroomError } from '@strongroom/kernel';

const serverErrors = {
  'server.bad-option': {
    status: 400,
    message: 'An option is wrong; see `npm start -- --help` or `strongroom serve --help`.',
  },
  'server.insecure-address': {
    status: 400,
    message:
      'An address other than loopback needs TLS: give --tls-certificate and --tls-key, or --behind-proxy if a proxy in front of it ends TLS.',
  },
  'server.port-in-use': {
    status: 500,
    message: 'The port is in use; choose another with --port, or stop what uses it.',
  },
  'server.cannot-listen': { status: 500, message: 'The address cannot be listened on; check --host and --port.' },
  'server.data-in-use': {
    status: 503,
    message:
      'Another server uses this data folder. Servers that share a PostgreSQL have a folder each, with a copy of the same keys; see docs/guides/postgresql.md.',
  },
  'server.socket-unavailable': {
    status: 500,
    message:
      "The administrator's socket cannot be opened; is the data folder writable and its path shorter than 100 bytes?",
  },
  'server.tls-unreadable': { status: 500, message: 'The TLS certificate or key cannot be used.' },
} as const satisfies ErrorTable;

export type ServerErrorCode = keyof typeof serverErrors;

export class ServerError extends StrongroomError<ServerErrorCode> {
  constructor(code: ServerErrorCode, options?: ErrorOptions) {
    super(serverErrors, code, options);
  }
}
