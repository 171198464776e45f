/** Markdown notes with optional YAML front matter, as note-taking programs keep them in a folder. */
import type { JsonValue } from '@strongroom/kernel';
import { parseDocument } from 'yaml';
import { invalidImport, isRecord, timeOf, type ImportItem } from './import-item.ts';

/** A line of three hyphens, YAML in between, and again. The text after it may be missing. */
const FRONT_MATTER = /^---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)/m;

/**
 * `path` is the note's place in its folder, relative, and its key: moved notes count as new ones. Throws `client.invalid-import`.
 */
export function parseMarkdownNote(path: string, content: string): ImportItem {
  const key = path.normalize('NFC').replaceAll('\\', '/').replace(/^\.\//, '');
  const text = content.replace(/^\ufeff/, '');
  const match = text.startsWith('---') ? FRONT_MATTER.exec(text) : null;
  const fields = match === null ? {} : frontMatter(match[1]!, key);
  const body = match === null ? text : text.slice(match[0].length);
  const { title, tags, created, ...others } = fields;
  const heading = /^#[ \t]+(.+?)[ \t]*#*[ \t]*$/m.exec(body)?.[1];
  const name = typeof title === 'string' && title.trim() !== '' ? title : (heading ?? fileName(key));
  return {
    source: 'markdown',
    key,
    title: name.trim().slice(0, 500),
    kind: 'note',
    text: body.trim() === '' ? name.trim() : body.trim(),
    tags: tagList(tags),
    createdAt: createdTime(created),
    details: { path: key, ...(Object.keys(others).length === 0 ? {} : { frontMatter: others }) },
  };
}

function frontMatter(yaml: string, key: string): Readonly<Record<string, JsonValue>> {
  // The core schema knows no dates, so they stay as written; aliases could unfold without end.
  const document = parseDocument(yaml, { schema: 'core', uniqueKeys: true, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) throw invalidImport(`The front matter of ${key} is not YAML.`, error);
  let fields: unknown;
  try {
    fields = document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw invalidImport(`The front matter of ${key} uses aliases.`, cause);
  }
  if (fields === null) return {};
  if (!isRecord(fields)) throw invalidImport(`The front matter of ${key} is no list of fields.`);
  // What JSON cannot say (infinities, not-a-number) becomes null once and is the same ever after.
  return JSON.parse(JSON.stringify(fields)) as Readonly<Record<string, JsonValue>>;
}

/** A list, or words separated by commas. */
function tagList(tags: JsonValue | undefined): string[] {
  const given = typeof tags === 'string' ? tags.split(',') : Array.isArray(tags) ? (tags as readonly JsonValue[]) : [];
  const words = given
    .filter((tag) => typeof tag === 'string' || typeof tag === 'number')
    .map((tag) => String(tag).trim().replace(/^#/, ''));
  return [...new Set(words.filter((tag) => tag !== '' && tag.length <= 100))].slice(0, 100);
}

function createdTime(created: JsonValue | undefined): string | null {
  // Only forms whose meaning does not depend on where the program runs.
  if (typeof created !== 'string' || !/^\d{4}-\d\d-\d\d(?:$|[T ].*(?:Z|[+-]\d\d:?\d\d)$)/.test(created)) return null;
  return timeOf(Date.parse(created));
}

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '') || path;
