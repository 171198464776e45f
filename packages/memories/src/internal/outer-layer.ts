/**
 * The layer around every stored token, under its author's key: sealed content that somebody kept together with the space key is unreadable
 * once the author was erased, in every backup too.
 */
import type { Encryption, SubjectKeys } from '@strongroom/encryption';
import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { SpacePlace } from './tables.ts';

interface VersionKey {
  readonly id: Uuid;
  readonly version: number;
}

/** Bound to the very version: one that was moved does not open. */
const placeOf = ({ tenant, space }: SpacePlace, { id, version }: VersionKey, author: Uuid) => ({
  tenant,
  table: 'memory_versions',
  column: 'token',
  row: `${space} ${id} ${version}`,
  subject: author,
});

export const sealToken = (
  keys: SubjectKeys,
  place: SpacePlace,
  version: VersionKey,
  author: Uuid,
  token: Uint8Array,
): Uint8Array => keys.seal(placeOf(place, version, author), token);

interface StoredVersion extends VersionKey {
  readonly token: Uint8Array | null;
  readonly author: Uuid | null;
}

/** The rows with their tokens opened; `token` is null where the author was erased, or there was none. */
export async function openTokens<Row extends StoredVersion>(
  encryption: Encryption,
  transaction: Transaction,
  place: SpacePlace,
  rows: readonly Row[],
): Promise<readonly (Omit<Row, 'token'> & { readonly token: Uint8Array | null })[]> {
  const authors = rows.flatMap(({ author, token }) => (author === null || token === null ? [] : [author]));
  if (authors.length === 0) return rows;
  const keys = await encryption.subjects(transaction, authors);
  return rows.map((row) => {
    const { token, author } = row;
    if (token === null || author === null || !keys.has(author)) return { ...row, token: null };
    return { ...row, token: keys.open(placeOf(place, row, author), token) };
  });
}

/** For those that content can only be shown whole: leaves out what was erased. */
export const withToken = <Row extends { readonly token: Uint8Array | null }>(
  row: Row,
): row is Row & { readonly token: Uint8Array } => row.token !== null;
