/** What a backup holds, in figures. */
import type { Header } from './internal/document.ts';

export interface BackupSummary {
  /** RFC 3339, UTC: the moment it shows. */
  readonly createdAt: string;
  /** Version of the program that made it. */
  readonly program: string;
  readonly format: number;
  /** False for a copy of some tables, such as the keys. */
  readonly whole: boolean;
  readonly rows: number;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  /** Tables whose rows are not in it. */
  readonly leftOut: readonly string[];
  /** Size of the encrypted file. */
  readonly bytes: number;
}

export const summarise = (
  { createdAt, program, format, whole, tables, leftOut }: Header,
  bytes: number,
): BackupSummary => ({
  createdAt,
  program,
  format,
  whole,
  rows: tables.reduce((sum, { rows }) => sum + rows, 0),
  tables: tables.map(({ name, rows }) => ({ name, rows })),
  leftOut: leftOut.map(({ name }) => name),
  bytes,
});
