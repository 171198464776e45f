/**
 * `conversations.json` of a ChatGPT data export. A conversation is a tree, since questions can be edited and answers made
 * again; what a person saw last is the branch from `current_node` up to the root, and only that is taken.
 */
import { invalidImport, isRecord, timeOf, type ImportItem, type TextSource } from './import-item.ts';
import { arrayElements } from './internal/text-pieces.ts';
import { splitText } from './internal/split-text.ts';

/** Speakers whose messages people see, and how they are named in the text. */
const SPEAKERS: Readonly<Record<string, string>> = { user: 'User', assistant: 'Assistant' };
/** Content with text that people see. Others are tool calls, reasoning and hidden context. */
const VISIBLE_CONTENT = new Set(['text', 'multimodal_text']);

/**
 * One item per conversation with a visible message, or several for a very long one. Throws `client.invalid-import` naming the
 * conversation by its position.
 */
export async function* parseChatGptExport(source: TextSource): AsyncGenerator<ImportItem> {
  let number = 0;
  for await (const element of arrayElements(source)) {
    number += 1;
    const where = `Conversation ${number} of the file`;
    let conversation: unknown;
    try {
      conversation = JSON.parse(element);
    } catch (cause) {
      throw invalidImport(`${where} is not JSON.`, cause);
    }
    if (!isRecord(conversation)) throw invalidImport(`${where} is no conversation.`);
    yield* items(conversation, where);
  }
}

function* items(conversation: Readonly<Record<string, unknown>>, where: string): Generator<ImportItem> {
  const { id, conversation_id: conversationId, title, create_time: created } = conversation;
  const key = typeof conversationId === 'string' ? conversationId : id;
  if (typeof key !== 'string' || key === '') throw invalidImport(`${where} has no id.`);
  const messages = visibleBranch(conversation, where);
  const parts = splitText(messages.map(({ speaker, text }) => `${speaker}:\n${text}`));
  for (const [index, text] of parts.entries()) {
    const part = index + 1;
    yield {
      source: 'chatgpt',
      key: part === 1 ? key : `${key}/${part}`,
      ...(typeof title === 'string' && title.trim() !== '' ? { title: title.trim().slice(0, 500) } : {}),
      kind: 'conversation',
      text,
      tags: [],
      createdAt: typeof created === 'number' ? timeOf(Math.round(created * 1000)) : null,
      details: { conversation: key, ...(parts.length > 1 ? { part, parts: parts.length } : {}) },
    };
  }
}

interface VisibleMessage {
  readonly speaker: string;
  readonly text: string;
}

function visibleBranch(conversation: Readonly<Record<string, unknown>>, where: string): VisibleMessage[] {
  const mapping = conversation['mapping'];
  if (!isRecord(mapping)) throw invalidImport(`${where} has no messages.`);
  const branch: VisibleMessage[] = [];
  const seen = new Set<string>();
  let node = conversation['current_node'];
  while (node !== null && node !== undefined) {
    if (typeof node !== 'string' || seen.has(node) || !Object.hasOwn(mapping, node)) {
      throw invalidImport(`${where} does not hang together.`);
    }
    seen.add(node);
    const entry = mapping[node];
    if (!isRecord(entry)) throw invalidImport(`${where} does not hang together.`);
    const message = visibleMessage(entry['message']);
    if (message !== null) branch.push(message);
    node = entry['parent'];
  }
  // A conversation without a current node would silently lose everything said in it.
  if (seen.size === 0 && Object.keys(mapping).length > 0) throw invalidImport(`${where} names no current message.`);
  return branch.toReversed();
}

function visibleMessage(message: unknown): VisibleMessage | null {
  if (!isRecord(message)) return null;
  const { author, content, metadata, recipient, weight } = message;
  if (!isRecord(author) || !isRecord(content)) return null;
  const speaker = typeof author['role'] === 'string' ? SPEAKERS[author['role']] : undefined;
  if (speaker === undefined || weight === 0 || (recipient !== undefined && recipient !== 'all')) return null;
  if (isRecord(metadata) && metadata['is_visually_hidden_from_conversation'] === true) return null;
  const type = content['content_type'];
  if (typeof type !== 'string' || !VISIBLE_CONTENT.has(type)) return null;
  const parts = Array.isArray(content['parts']) ? content['parts'] : [];
  const text = parts
    .map(textOfPart)
    .filter((part) => part.trim() !== '')
    .join('\n\n');
  return text === '' ? null : { speaker, text };
}

/** A part is text, the transcript of speech, or a reference to a file, which is named in its place. */
function textOfPart(part: unknown): string {
  if (typeof part === 'string') return part;
  if (!isRecord(part)) return '';
  if (typeof part['text'] === 'string') return part['text'];
  return typeof part['asset_pointer'] === 'string' ? '[file]' : '';
}
