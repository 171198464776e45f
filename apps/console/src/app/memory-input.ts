/** From what somebody typed to what is stored. */
import type { OpenedMemory } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import type { MemoryInputView } from '../vault/protocol.ts';
import type { Draft } from './drafts.ts';
import { vault } from './session.ts';
import { VaultError } from './vault-connection.ts';

export function inputOf({ title, text, kind, tags }: Draft): MemoryInputView {
  const words = tags.split(',').map((tag) => tag.trim().replace(/^#/, ''));
  return {
    text,
    tags: [...new Set(words.filter((tag) => tag !== ''))],
    ...(title.trim() === '' ? {} : { title: title.trim() }),
    ...(kind === '' ? {} : { kind }),
  };
}

/** After a conflict: what the others saved. Null when they deleted it. */
export async function newest(space: Uuid, memory: Uuid): Promise<OpenedMemory | null> {
  await vault('sync', space);
  try {
    return await vault('memory', space, memory);
  } catch (error) {
    if (error instanceof VaultError && error.code === 'client.unknown-memory') return null;
    throw error;
  }
}
