/** Rows as the wire shows them. */
import type { Uuid } from '@strongroom/kernel';
import type { Change, MemoryVersion, Space, Written } from '../wire.ts';
import type { ChangeRow, VersionRow } from './read.ts';
import type { SpaceRow } from './space-store.ts';
import type { Outcome } from './write.ts';

/** Base64url without padding. A page holds megabytes, and Node encodes several times faster than portable code. */
const toBase64Url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');

/** Those who shared keys that have not been taken over yet. */
export type Senders = ReadonlyMap<Uuid, { readonly displayName: string | null; readonly publicKey: Uint8Array | null }>;

export const spaceAnswer = (row: SpaceRow, role: string, senders: Senders): Space => ({
  id: row.id,
  sealedName: toBase64Url(row.sealedName),
  epoch: row.epoch,
  role,
  keys: row.keys.map((key) => ({
    epoch: key.epoch,
    wrappedKey: toBase64Url(key.wrappedKey),
    sharedBy: key.sender === null ? null : senderAnswer(key.sender, senders),
  })),
  rotationDue: row.rotationDue,
  createdAt: row.createdAt.toISOString(),
});

function senderAnswer(account: Uuid, senders: Senders): NonNullable<Space['keys'][number]['sharedBy']> {
  const { displayName = null, publicKey = null } = senders.get(account) ?? {};
  return { account, displayName, publicKey: publicKey === null ? null : toBase64Url(publicKey) };
}

export const writtenAnswer = ({ id, version, epoch, sequence, at }: Outcome): Written => ({
  id,
  version,
  epoch,
  sequence,
  writtenAt: at.toISOString(),
});

export const versionAnswer = (row: VersionRow): MemoryVersion => ({
  id: row.id,
  version: row.version,
  epoch: row.epoch,
  token: toBase64Url(row.token),
  author: row.author,
  sequence: row.sequence,
  writtenAt: row.at.toISOString(),
});

export const changeAnswer = (row: ChangeRow): Change => ({
  id: row.id,
  version: row.version,
  epoch: row.epoch,
  token: row.token === null ? null : toBase64Url(row.token),
  author: row.author,
  deleted: row.deleted,
  sequence: row.sequence,
  changedAt: row.at.toISOString(),
});
