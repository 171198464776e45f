/** Reads what a server sent. It is not trusted: whatever has another shape is `client.bad-answer`, naming the field. */
import { fromBase64Url, isUuid, type Bytes, type Uuid } from '@strongroom/kernel';
import { ClientError } from '../errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

const bad = (name: string): ClientError => new ClientError('client.bad-answer', { detail: `Check "${name}".` });

export function fields(value: unknown, name = 'answer'): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(name);
  return value as Fields;
}

export function text(from: Fields, name: string): string {
  const value = from[name];
  if (typeof value !== 'string') throw bad(name);
  return value;
}

export function textOrNull(from: Fields, name: string): string | null {
  return from[name] === null ? null : text(from, name);
}

/** Text in the alphabet of base64url. Whoever decodes it checks the rest; a first synchronisation brings a hundred thousand of them. */
export function encoded(from: Fields, name: string): string {
  const value = text(from, name);
  if (!/^[A-Za-z0-9_-]+$/.test(value)) throw bad(name);
  return value;
}

/** The bytes of base64url text. */
export function decoded(from: Fields, name: string): Bytes {
  try {
    return fromBase64Url(text(from, name));
  } catch (cause) {
    throw cause instanceof ClientError ? cause : bad(name);
  }
}

export function id(from: Fields, name: string): Uuid {
  const value = from[name];
  if (!isUuid(value)) throw bad(name);
  return value;
}

export function count(from: Fields, name: string, minimum = 0): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum) throw bad(name);
  return value;
}

export function flag(from: Fields, name: string): boolean {
  const value = from[name];
  if (typeof value !== 'boolean') throw bad(name);
  return value;
}

export function list<Item>(from: Fields, name: string, read: (item: Fields) => Item): Item[] {
  const value = from[name];
  if (!Array.isArray(value)) throw bad(name);
  return value.map((item) => read(fields(item, name)));
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export function page<Item>(value: unknown, read: (item: Fields) => Item): Page<Item> {
  const answer = fields(value);
  return { items: list(answer, 'items', read), next: textOrNull(answer, 'next') };
}
