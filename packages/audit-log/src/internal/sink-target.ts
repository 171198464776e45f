/** Where a sink delivers to, and what is refused. */
import { X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import { AuditLogError } from '../errors.ts';

/** Throws `audit-log.invalid-sink` for anything but HTTPS, or HTTP that stays on this machine. */
export function webhookTarget(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw invalid('A webhook needs an https address.');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw invalid('Without https a webhook may only be on this machine.');
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw invalid('The address of a webhook has neither a password nor a fragment: deliveries are signed.');
  }
  return url.href;
}

/** Throws `audit-log.invalid-sink`. */
export function folderTarget(folder: string): string {
  if (!path.isAbsolute(folder) || folder.includes('\0')) throw invalid('The folder needs an absolute path.');
  return path.normalize(folder);
}

/** Characters of all certificates together: some ten of the largest in use. */
const MAXIMUM_AUTHORITIES = 65_536;

/** RFC 7468 §5.1. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM file without what stands between them. Throws `audit-log.invalid-sink`. `now`: milliseconds. */
export function authoritiesOf(url: string, pem: string, now: number): string {
  if (!url.startsWith('https:')) throw invalid('Authorities are for a webhook with https.');
  if (pem.includes('PRIVATE KEY'))
    throw invalid('The file of the authorities holds a private key, which belongs elsewhere.');
  const blocks = pem.length > MAXIMUM_AUTHORITIES ? [] : [...pem.matchAll(CERTIFICATE)].map(([block]) => block);
  const certificates = blocks.map(certificateOf);
  if (certificates.length === 0) throw invalid('The file of the authorities holds no certificate in PEM, or too many.');
  if (certificates.some(({ validToDate }) => validToDate.getTime() < now)) {
    throw invalid('A certificate of the authorities has expired.');
  }
  return certificates.map((certificate) => certificate.toString()).join('');
}

function certificateOf(block: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw invalid('The file of the authorities holds a certificate that cannot be read.');
  }
}

/** For people: whom a sink believes, and until when. */
export const describeAuthorities = (pem: string | null) =>
  (pem?.match(CERTIFICATE) ?? []).map((block) => {
    const { subject, fingerprint256, validToDate } = new X509Certificate(block);
    return { subject, fingerprint: fingerprint256, validUntil: validToDate.toISOString() };
  });

/** What the log may say of a target: a path in an address can be as good as a password. */
export const originOf = (kind: 'webhook' | 'file', target: string): string =>
  kind === 'webhook' ? new URL(target).origin : 'file';

/** RFC 6761 §6.3, RFC 5735 §3 and RFC 4291 §2.5.3, in the form that the URL standard gives host names. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

const invalid = (detail: string) => new AuditLogError('audit-log.invalid-sink', { detail });
