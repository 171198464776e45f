/** The versions of one memory, opened. */
import type { Uuid } from '@strongroom/kernel';
import type { Api } from '../api.ts';
import { ClientError } from '../errors.ts';
import type { MemoryDocument } from '../memory-document.ts';
import type { OldVersion } from '../vault-types.ts';
import { openDocument, type SealedVersion } from './item-codec.ts';
import type { OpenSpace } from './open-space.ts';

/** Newest first, from the server. Throws `client.bad-answer` for versions of another memory or out of order. */
export async function readHistory(space: OpenSpace, api: Api, id: Uuid): Promise<OldVersion[]> {
  const history: OldVersion[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.versions(space.id, id, { cursor });
    for (const item of page.items) {
      const { version, author, writtenAt } = item;
      const before = history.at(-1)?.version ?? Number.MAX_SAFE_INTEGER;
      if (item.id !== id || version >= before)
        throw new ClientError('client.bad-answer', { detail: 'Check "version".' });
      history.push({ version, author, writtenAt, document: await openOrNull(space, item) });
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return history;
}

async function openOrNull(space: OpenSpace, sealed: SealedVersion): Promise<MemoryDocument | null> {
  try {
    return await openDocument(space.keyOf(sealed.epoch), sealed);
  } catch (error) {
    if (error instanceof ClientError) return null;
    throw error;
  }
}
