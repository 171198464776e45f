/** Which importer a file is for, told by what is in it, and what it holds. */
import {
  ClientError,
  parseChatGptExport,
  parseJsonLines,
  parseMarkdownNote,
  type ImportItem,
  type SourceName,
} from '@strongroom/client';
import { headingAndExcerpt } from '../vault/rows.ts';
import type { ImportPreview, SourceFile } from '../vault/protocol.ts';
import { wireError } from '../vault/wire-error.ts';

/** Items that the preview shows. */
const SAMPLE_ITEMS = 6;
/** Bytes of one file; the largest exports of a few years of conversations are below. */
const LARGEST_FILE = 512 * 1024 * 1024;
/** A Markdown file is a note, not an archive. */
const LARGEST_NOTE = 4 * 1024 * 1024;

export interface ReadFiles {
  readonly items: readonly ImportItem[];
  readonly preview: ImportPreview;
}

export async function readFiles(files: readonly SourceFile[], onFile: (done: number) => void): Promise<ReadFiles> {
  const items: ImportItem[] = [];
  const report: ImportPreview['files'][number][] = [];
  for (const [index, { name, file }] of files.entries()) {
    const source = await sourceOf(name, file);
    const found: ImportItem[] = [];
    try {
      if (source === null) throw new ClientError('client.invalid-import', { detail: 'It is of no known kind.' });
      await readFile(source, name, file, found);
      items.push(...found);
      report.push({ name, source, items: found.length, problem: null });
    } catch (error) {
      // A file is taken whole or not at all: half an export looks like a whole one later.
      report.push({ name, source, items: 0, problem: wireError(error) });
    }
    onFile(index + 1);
  }
  const sample = items
    .slice(0, SAMPLE_ITEMS)
    .map(({ title, text, kind = 'note' }) => ({ ...headingAndExcerpt(title, text), kind }));
  return { items, preview: { files: report, items: items.length, sample } };
}

async function readFile(source: SourceName, name: string, file: Blob, found: ImportItem[]): Promise<void> {
  if (file.size > (source === 'markdown' ? LARGEST_NOTE : LARGEST_FILE)) {
    throw new ClientError('client.invalid-import', { detail: 'It is too large.' });
  }
  if (source === 'markdown') {
    found.push(parseMarkdownNote(withoutFolder(name), await file.text()));
    return;
  }
  const parse = source === 'chatgpt' ? parseChatGptExport : parseJsonLines;
  for await (const item of parse(pieces(file))) found.push(item);
}

/** By the ending of the name, and where that is not enough by the first letter inside: a ChatGPT export is one JSON array. */
export async function sourceOf(name: string, file: Blob): Promise<SourceName | null> {
  if (/\.(?:md|markdown)$/i.test(name)) return 'markdown';
  if (!/\.(?:json|jsonl|ndjson)$/i.test(name)) return null;
  const start = (await file.slice(0, 1024).text()).replace(/^\ufeff/, '').trimStart();
  if (start.startsWith('[')) return 'chatgpt';
  return start.startsWith('{') || start === '' ? 'mcp-memory' : null;
}

/** A chosen folder's own name is no part of the note's place in it, as on the command line. */
const withoutFolder = (name: string): string => (name.includes('/') ? name.slice(name.indexOf('/') + 1) : name);

async function* pieces(file: Blob): AsyncGenerator<string> {
  const reader = file
    .stream()
    .pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))
    .getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
