/** Built-in TLS: 1.3, and 1.2 with forward secrecy and authenticated encryption only; renewed certificates are taken over while it runs. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions, Server } from 'node:tls';
import { equalBytes } from '@strongroom/kernel';
import { ServerError } from './errors.ts';

/** RFC 9325 §4.2: recommended suites of TLS 1.2; those of 1.3 are all sound and stay as OpenSSL orders them. */
const TLS_1_2_SUITES = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];

export type TlsOptions = SecureContextOptions & {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
};

async function read(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new ServerError('server.tls-unreadable', { detail: `The ${name} file cannot be read.`, cause });
  }
}

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Reads and checks both files. Throws `server.tls-unreadable` saying which of them and why, without their content. */
export async function loadTls(files: TlsFiles): Promise<TlsOptions> {
  const certificate = await read('certificate', files.certificate);
  const key = await read('key', files.key);
  let matches: boolean;
  try {
    matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new ServerError('server.tls-unreadable', {
      detail: 'Both files must be PEM; the key without passphrase.',
      cause,
    });
  }
  if (!matches)
    throw new ServerError('server.tls-unreadable', { detail: 'The key does not belong to the certificate.' });
  return {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    ciphers: [
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_128_GCM_SHA256',
      ...TLS_1_2_SUITES,
    ].join(':'),
  };
}

/** Often enough for a certificate that is renewed days before it ends, and for whoever waits beside it. Milliseconds. */
const LOOK_EVERY = 10_000;

export interface TlsReloadOptions {
  readonly server: Pick<Server, 'setSecureContext'>;
  readonly files: TlsFiles;
  /** What the server uses now. */
  readonly current: TlsOptions;
  /** The `notAfter` of the certificate taken over. */
  readonly onReload: (validTo: string) => void;
  /** Called once for each pair of files that cannot be used; the former ones stay in use. */
  readonly onFailure: (error: unknown) => void;
  readonly lookEvery?: number;
}

export interface TlsReload {
  /** Looks now, and resolves when new connections get what is in the files. */
  look(): Promise<void>;
  /** Takes nothing over any more, not even what a look under way is reading. */
  stop(): void;
}

/**
 * Looks at the content of the files now and then: however a tool replaces them, by renaming, by a link or in place, it is noticed. A certificate
 * whose key has not arrived yet is not taken over before both fit. Connections that are open stay as they are.
 */
export function reloadTls(options: TlsReloadOptions): TlsReload {
  const { server, files, onReload, onFailure, lookEvery = LOOK_EVERY } = options;
  let { cert, key } = options.current;
  let refused: string | undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;

  async function once(): Promise<void> {
    try {
      const next = await loadTls(files);
      if (stopped) return;
      refused = undefined;
      if (equalBytes(next.cert, cert) && equalBytes(next.key, key)) return;
      server.setSecureContext(next);
      ({ cert, key } = next);
      onReload(new X509Certificate(cert).validTo);
    } catch (error) {
      if (stopped) return;
      const reason = error instanceof ServerError ? (error.detail ?? error.code) : String(error);
      if (reason !== refused) onFailure(error);
      refused = reason;
    }
  }

  const look = (): Promise<void> => {
    looking = looking.then(once);
    return looking;
  };
  const timer = setInterval(() => void look(), lookEvery);
  timer.unref();
  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
  };
  return { look, stop };
}
