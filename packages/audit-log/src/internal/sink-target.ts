/** Where a sink delivers to, and what is refused. */
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

/** What the log may say of a target: a path in an address can be as good as a password. */
export const originOf = (kind: 'webhook' | 'file', target: string): string =>
  kind === 'webhook' ? new URL(target).origin : 'file';

/** RFC 6761 §6.3, RFC 5735 §3 and RFC 4291 §2.5.3, in the form that the URL standard gives host names. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

const invalid = (detail: string) => new AuditLogError('audit-log.invalid-sink', { detail });
