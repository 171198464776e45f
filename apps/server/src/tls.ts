/** Built-in TLS: 1.3, and 1.2 with forward secrecy and authenticated encryption only. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
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

export type TlsOptions = SecureContextOptions & { readonly minVersion: 'TLSv1.2' };

async function read(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new ServerError('server.tls-unreadable', { detail: `The ${name} file cannot be read.`, cause });
  }
}

/** Reads and checks both files. Throws `server.tls-unreadable` saying which of them and why, without their content. */
export async function loadTls(files: { readonly certificate: string; readonly key: string }): Promise<TlsOptions> {
  const certificate = await read('certificate', files.certificate);
  const key = await read('key', files.key);
  let matches: boolean;
  try {
    matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new ServerError('server.tls-unreadable', { detail: 'Both files must be PEM; the key without passphrase.', cause });
  }
  if (!matches) throw new ServerError('server.tls-unreadable', { detail: 'The key does not belong to the certificate.' });
  return {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    ciphers: ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256', ...TLS_1_2_SUITES].join(':'),
  };
}
