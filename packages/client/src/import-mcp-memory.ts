/** The JSON Lines file of the MCP project's memory server: entities with observations, and relations between them. */
import { invalidImport, type ImportItem, type TextSource } from './import-item.ts';
import { records } from './internal/text-pieces.ts';

/** One item per entity and per relation, in the order of the file. Throws `client.invalid-import` naming the line. */
export async function* parseMcpMemory(source: TextSource): AsyncGenerator<ImportItem> {
  for await (const { record, number } of records(source)) {
    const where = `Line ${number} is no entity and no relation.`;
    if (record['type'] === 'entity') yield entity(record, where);
    else if (record['type'] === 'relation') yield relation(record, where);
    else throw invalidImport(where);
  }
}

function entity(record: Readonly<Record<string, unknown>>, where: string): ImportItem {
  const { name, entityType, observations } = record;
  if (!isText(name) || !isText(entityType) || !isTextList(observations)) throw invalidImport(where);
  return {
    source: 'mcp-memory',
    key: JSON.stringify(['entity', name]),
    title: name,
    kind: entityType,
    // An entity without observations still says that it exists.
    text: observations.length === 0 ? name : observations.join('\n'),
    tags: [],
    createdAt: null,
    // Not the observations again: a copy would survive when somebody edits the text.
    details: { type: 'entity' },
  };
}

function relation(record: Readonly<Record<string, unknown>>, where: string): ImportItem {
  const { from, to, relationType } = record;
  if (!isText(from) || !isText(to) || !isText(relationType)) throw invalidImport(where);
  return {
    source: 'mcp-memory',
    key: JSON.stringify(['relation', from, relationType, to]),
    kind: 'relation',
    text: `${from} ${relationType} ${to}`,
    tags: [],
    createdAt: null,
    details: { type: 'relation', from, relationType, to },
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
