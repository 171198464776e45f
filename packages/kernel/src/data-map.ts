/**
 * The data map: every column of every table is declared once, with what it is. Encryption, blind
 * indexes and masking read it; later rooms (export, erasure, retention, Article 30 record) read the same.
 */

/** Categories follow fideslang's taxonomy; the list grows with the first column that needs a new one. */
export type DataCategory =
  | 'user.contact.email'
  | 'user.name'
  | 'user.content'
  | 'user.account.credential'
  | 'user.device'
  | 'user.behavior';

export type LawfulBasis = 'contract' | 'consent' | 'legal-obligation' | 'legitimate-interests';

/** How a value is stored. `sealed` means: encrypted by the client, unreadable to the server. */
export type Protection = 'clear' | 'hashed' | 'encrypted' | 'sealed';

/** A column that holds nothing about a person. */
export interface OperationalColumn {
  readonly kind: 'operational';
}

/** A column with personal data. */
export interface PersonalColumn {
  readonly kind: 'personal';
  readonly category: DataCategory;
  /** The column of the same table that names the data subject. */
  readonly subject: string;
  readonly purpose: string;
  readonly lawfulBasis: LawfulBasis;
  /** When it ends, in words a privacy officer can check, for example `until the account is deleted`. */
  readonly retention: string;
  readonly protection: Protection;
  /** For `encrypted` columns: the column holding the keyed hash by which the value is looked up. */
  readonly blindIndex?: string;
}

/** A pseudonymous reference to a person, for example an account id. */
export interface SubjectReference {
  readonly kind: 'subject';
}

/** A key, a token hash or another secret that is no personal data but must never be shown. */
export interface SecretColumn {
  readonly kind: 'secret';
  readonly protection: Protection;
}

export type Column = OperationalColumn | PersonalColumn | SubjectReference | SecretColumn;

export interface TableDeclaration {
  readonly columns: Readonly<Record<string, Column>>;
  /** `tenant`: has a `tenant_id` column and row-level security. `installation`: shared by all tenants. */
  readonly scope: 'tenant' | 'installation';
}

export type DataMap = Readonly<Record<string, TableDeclaration>>;

export const operational: OperationalColumn = { kind: 'operational' };
export const subject: SubjectReference = { kind: 'subject' };
export const secret = (protection: Protection): SecretColumn => ({ kind: 'secret', protection });
export const personal = (column: Omit<PersonalColumn, 'kind'>): PersonalColumn => ({ kind: 'personal', ...column });

/** Checks references inside each table; throws a TypeError that names the column. Returns its argument. */
export function defineDataMap<const Map extends DataMap>(map: Map): Map {
  for (const [table, declaration] of Object.entries(map)) {
    const { columns } = declaration;
    if (declaration.scope === 'tenant' && columns['tenant_id'] === undefined) {
      throw new TypeError(`data map: ${table} is scoped to a tenant but declares no tenant_id`);
    }
    for (const [name, column] of Object.entries(columns)) {
      if (column.kind !== 'personal') continue;
      if (columns[column.subject]?.kind !== 'subject') {
        throw new TypeError(`data map: ${table}.${name} names "${column.subject}", which is not a subject column`);
      }
      if (column.blindIndex === undefined) continue;
      if (columns[column.blindIndex] === undefined) {
        throw new TypeError(`data map: ${table}.${name} names the undeclared blind index "${column.blindIndex}"`);
      }
    }
  }
  return map;
}
