/** What a row codec was told, compared once with the data map. */
import { isUuid, type DataMap, type TableDeclaration, type Uuid } from '@strongroom/kernel';
import type { RowPlace } from '../../column-codec.ts';
import { EncryptionError } from '../../errors.ts';
import type { SealedColumn, SealedColumns } from './sealed-column.ts';

/** The column by which row-level security separates tenants. */
const TENANT_COLUMN = 'tenant_id';

export interface DeclaredColumn {
  readonly name: string;
  readonly column: SealedColumn;
  /** The column naming the person, `null`: about nobody. */
  readonly subject: string | null;
  /** End of the last day on which plaintext is allowed, milliseconds since the epoch; only for a column that is being encrypted. */
  readonly plaintextUntil: number | undefined;
}

/** What the codec, the query layer and the column migration know of a table. */
export interface DeclaredTable {
  readonly table: string;
  readonly declaration: TableDeclaration;
  readonly row: readonly string[];
  readonly tenant: string | null;
  readonly columns: ReadonlyMap<string, DeclaredColumn>;
  /** Blind index columns, which nobody fills by hand. */
  readonly indexes: ReadonlySet<string>;
  /** Columns that say where a value belongs: changing one of them makes the row's values unreadable. */
  readonly place: ReadonlySet<string>;
}

const DAY = 24 * 60 * 60 * 1000;

/** Throws a TypeError that names what does not agree with the data map. Called when a module loads. */
export function declareTable(
  dataMap: DataMap,
  table: string,
  told: { readonly row: readonly string[]; readonly subject: string | null; readonly columns: SealedColumns },
): DeclaredTable {
  const declaration = dataMap[table];
  const wrong = (problem: string): TypeError => new TypeError(`row codec: ${table}${problem}`);
  if (declaration === undefined) throw wrong(' is not in the data map');
  const mustExist = (column: string): void => {
    if (!Object.hasOwn(declaration.columns, column)) throw wrong(`.${column} is not in the data map`);
  };
  if (told.row.length === 0) throw wrong(' needs the columns of its primary key');
  told.row.forEach(mustExist);
  const columns = new Map<string, DeclaredColumn>();
  const indexes = new Set<string>();
  for (const [name, column] of Object.entries(told.columns)) {
    mustExist(name);
    const declared = declaration.columns[name]!;
    if ((declared.kind !== 'personal' && declared.kind !== 'secret') || declared.protection !== 'encrypted') {
      throw wrong(`.${name} is not declared as encrypted`);
    }
    const subject = column.subject === undefined ? told.subject : column.subject;
    if (declared.kind === 'personal' && declared.subject !== subject) {
      throw wrong(`.${name} is about "${declared.subject}" according to the data map`);
    }
    if (subject !== null) mustExist(subject);
    const index = declared.kind === 'personal' ? declared.blindIndex : undefined;
    if (index !== column.index) throw wrong(`.${name} has the blind index "${index}" according to the data map`);
    if (index !== undefined) {
      if (column.as !== 'text') throw wrong(`.${name} has a blind index, which only text can have`);
      indexes.add(index);
    }
    columns.set(name, { name, column, subject, plaintextUntil: checkMove(declaration, name, column, wrong) });
  }
  for (const [name, declared] of Object.entries(declaration.columns)) {
    if (declared.kind !== 'personal' && declared.kind !== 'secret') continue;
    if (declared.protection === 'encrypted' && !columns.has(name)) throw wrong(`.${name} is missing from the codec`);
  }
  const tenant = declaration.scope === 'tenant' ? TENANT_COLUMN : null;
  const subjects = [...columns.values()].flatMap(({ subject }) => (subject === null ? [] : [subject]));
  const place = new Set([...told.row, ...(tenant === null ? [] : [tenant]), ...subjects]);
  return { table, declaration, row: told.row, tenant, columns, indexes, place };
}

function checkMove(
  declaration: TableDeclaration,
  name: string,
  { moving }: SealedColumn,
  wrong: (problem: string) => TypeError,
): number | undefined {
  if (moving === undefined) return undefined;
  const from = declaration.columns[moving.from];
  if ((from?.kind !== 'personal' && from?.kind !== 'secret') || from.protection !== 'clear') {
    throw wrong(`.${name} is moving from "${moving.from}", which is not declared as a column in the clear`);
  }
  const day = /^\d{4}-\d{2}-\d{2}$/.test(moving.until) ? Date.parse(`${moving.until}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(day)) throw wrong(`.${name} is moving until "${moving.until}", which is no day like 2027-01-31`);
  return day + DAY;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A spelling of an id that PostgreSQL understands and never prints. */
const isOddUuid = (text: string): boolean =>
  /^[0-9a-f]{32}$/i.test(text.replaceAll(/[-{}]/g, '')) &&
  !/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

const unknownPlace = (detail: string): EncryptionError => new EncryptionError('encryption.place-unknown', { detail });

/** Throws `encryption.place-unknown` naming the column that is missing or cannot name a row, a tenant or a person. */
export function placeOf(declared: DeclaredTable, { name, subject }: DeclaredColumn, row: Fields): RowPlace {
  const { table, tenant } = declared;
  const parts = declared.row.map((part) => {
    const value = row[part];
    if (isUuid(value)) return value;
    // A space would make two lists of parts look the same, and an id in capitals is another text but the same row.
    if (typeof value === 'string' && value !== '' && !value.includes(' ') && !isOddUuid(value)) return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    throw unknownPlace(`To seal or open ${table}.${name}, give ${table}.${part}: it names the row.`);
  });
  const idOf = (column: string, what: string): Uuid => {
    const id = row[column];
    if (!isUuid(id)) throw unknownPlace(`To seal or open ${table}.${name}, give ${table}.${column}: it names ${what}.`);
    return id;
  };
  return {
    row: parts.join(' '),
    tenant: tenant === null ? null : idOf(tenant, 'the tenant'),
    subject: subject === null ? null : idOf(subject, 'the person'),
  };
}

/** The people whose keys the values in `names` need; an absent value needs none. */
export function declaredTableSubjects(declared: DeclaredTable, row: Fields, names: Iterable<string>): readonly Uuid[] {
  const found = new Set<Uuid>();
  for (const name of names) {
    const column = declared.columns.get(name);
    if (column === undefined || column.subject === null || row[name] === null || row[name] === undefined) continue;
    const { subject } = placeOf(declared, column, row);
    if (subject !== null) found.add(subject);
  }
  return [...found];
}

/** The places of one row's values: columns about the same person have the same. */
export class RowPlaces {
  readonly #declared: DeclaredTable;
  readonly #row: Fields;
  #subject: string | null | undefined;
  #place: RowPlace | undefined;

  constructor(declared: DeclaredTable, row: Fields) {
    this.#declared = declared;
    this.#row = row;
  }

  of(column: DeclaredColumn): RowPlace {
    if (this.#place === undefined || this.#subject !== column.subject) {
      this.#place = placeOf(this.#declared, column, this.#row);
      this.#subject = column.subject;
    }
    return this.#place;
  }
}
