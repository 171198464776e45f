/** Between memory documents and what the wire carries. */
import type { Bytes, Uuid } from '@strongroom/kernel';
import { openItem, openItems, sealItem, SealingError, type SpaceKey } from '@strongroom/sealing';
import { ClientError } from '../errors.ts';
import { decodeDocument, encodeDocument, type MemoryDocument } from '../memory-document.ts';

/** Bytes of the longest token that the server stores. */
export const LONGEST_TOKEN_BYTES = 256 * 1024;

export interface SealedVersion {
  readonly id: Uuid;
  readonly version: number;
  readonly epoch: number;
  readonly token: string;
}

/** The token in base64url without padding, as the wire has it. Throws `client.invalid-memory` or `client.memory-too-large`. */
export async function sealDocument(
  key: SpaceKey,
  place: { readonly id: Uuid; readonly version: number },
  document: MemoryDocument,
): Promise<string> {
  const content = encodeDocument(document);
  if (content.length > LONGEST_TOKEN_BYTES) throw new ClientError('client.memory-too-large');
  const sealed = await sealItem(key, { item: place.id, version: place.version }, content);
  const token = sealed.replace(/=+$/, '');
  if (Math.floor((token.length * 3) / 4) > LONGEST_TOKEN_BYTES) throw new ClientError('client.memory-too-large');
  return token;
}

/** Throws `client.cannot-open` or `client.unknown-format`. */
export async function openDocument(key: SpaceKey, sealed: SealedVersion): Promise<MemoryDocument> {
  let content: Bytes;
  try {
    content = await openItem(key, { item: sealed.id, version: sealed.version }, padded(sealed.token));
  } catch (error) {
    throw asClientError(error);
  }
  return decodeDocument(content);
}

/** Many at once, in order; one that does not open gives its error in its place. All must be of the key's epoch. */
export async function openDocuments(
  key: SpaceKey,
  sealed: readonly SealedVersion[],
): Promise<(MemoryDocument | ClientError)[]> {
  const items = sealed.map(({ id, version, token }) => ({ item: id, version, token: padded(token) }));
  return (await openItems(key, items)).map((content) => {
    if (content instanceof SealingError) return new ClientError('client.cannot-open');
    try {
      return decodeDocument(content);
    } catch (error) {
      if (error instanceof ClientError) return error;
      throw error;
    }
  });
}

function asClientError(error: unknown): unknown {
  return error instanceof SealingError ? new ClientError('client.cannot-open', { cause: error }) : error;
}

/** The Fernet specification wants the padding that the wire leaves out. */
const padded = (token: string): string => token + '='.repeat((4 - (token.length % 4)) % 4);
