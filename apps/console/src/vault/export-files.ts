/** Opened memories as a file for the person: the same two formats that the command line writes. Whoever gets the file can read it. */
import type { OpenedMemory } from '@strongroom/client';
import { utf8 } from '@strongroom/kernel';
import { zip } from './zip.ts';

export function exportFile(memories: readonly OpenedMemory[], format: 'jsonl' | 'markdown'): Blob {
  return format === 'jsonl' ? new Blob([jsonLines(memories)], { type: 'application/jsonl' }) : zip(memories.map(note));
}

/** One memory in each line. */
export const jsonLines = (memories: readonly OpenedMemory[]): string =>
  memories
    .map(({ id, version, writtenAt, document }) => `${JSON.stringify({ id, version, writtenAt, ...document })}\n`)
    .join('');

function note({ id, document, writtenAt }: OpenedMemory) {
  return { name: `${id}.md`, content: utf8(markdownNote(document)), modifiedAt: Date.parse(writtenAt) };
}

export function markdownNote({ title, createdAt, kind, tags, text }: OpenedMemory['document']): string {
  const front = { title, created: createdAt, kind, tags };
  // JSON is YAML, and its strings cannot break out of the front matter.
  const lines = Object.entries(front).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${JSON.stringify(value)}`],
  );
  return `---\n${lines.join('\n')}\n---\n\n${text}\n`;
}
