/** Which columns a name in a query means, as far as encrypted ones are concerned. */
import {
  IdentifierNode,
  type AliasNode,
  type BinaryOperationNode,
  type CommonTableExpressionNode,
  type OperationNode,
  type OperatorNode,
  type TableNode,
  type ValueNode,
  type WhereNode,
  type WithNode,
} from 'kysely';
import type { DeclaredColumn, DeclaredTable, Fields } from '../codec/declaration.ts';
import { aliasOf, columnNameOf, conditionsOf, isKind, refuse, tableNameOf, type ColumnName } from './nodes.ts';

/** Tables with a codec, by name. */
export type DeclaredTables = ReadonlyMap<string, DeclaredTable>;

/** A table of the query under the name that it has there. */
export interface Source {
  readonly name: string;
  /** `undefined`: has no codec, or is a subquery. */
  readonly declared: DeclaredTable | undefined;
}

export interface FoundColumn {
  readonly source: Source & { readonly declared: DeclaredTable };
  /** What the name means: the encrypted column itself, or the one in the clear from which it is being encrypted. */
  readonly column: DeclaredColumn;
  /** False when it belongs to a query further out, or could. */
  readonly here: boolean;
}

/** The names known in one query, and in those around it. */
export class Scope {
  readonly tables: DeclaredTables;
  readonly sources: readonly Source[];
  readonly #outer: Scope | undefined;
  readonly #withNames: ReadonlySet<string>;
  /** Names of encrypted columns among the results, by which a query may be ordered. */
  readonly results = new Set<string>();

  constructor(tables: DeclaredTables, nodes: readonly OperationNode[], outer?: Scope, withNode?: WithNode) {
    this.tables = tables;
    this.#outer = outer;
    this.#withNames = new Set([...(outer?.withNames() ?? []), ...namesOf(withNode)]);
    this.sources = nodes.flatMap((node) => this.#sourceOf(node));
  }

  withNames(): ReadonlySet<string> {
    return this.#withNames;
  }

  sourceNamed(name: string): Source | undefined {
    return this.sources.find((source) => source.name === name) ?? this.#outer?.sourceNamed(name);
  }

  /** A table named where none of the query's is meant: `select` within raw SQL. */
  unknownSource(name: string): Source {
    return { name, declared: this.tables.get(name) };
  }

  /** The names that a table has here and further out. */
  namesOf(declared: DeclaredTable): readonly string[] {
    const own = this.sources.filter((source) => source.declared === declared).map(({ name }) => name);
    return [...own, ...(this.#outer?.namesOf(declared) ?? [])];
  }

  /** Throws `encryption.query-refused` for a name that two tables of the query have. */
  find(name: ColumnName): FoundColumn | undefined {
    const found = this.#findHere(name);
    if (found !== undefined) return found;
    if (name.table !== undefined && this.sources.some((source) => source.name === name.table)) return undefined;
    const further = this.#outer?.find(name);
    if (further !== undefined) return { ...further, here: false };
    if (name.table === undefined || this.#outer !== undefined) return undefined;
    // A table that is not in the query, `excluded` for example: whatever it is, the column is encrypted somewhere.
    for (const declared of this.tables.values()) {
      const column = columnOf(declared, name.column);
      if (column !== undefined) return { source: { name: name.table, declared }, column, here: false };
    }
    return undefined;
  }

  /** Values that the condition fixes for columns of the source, by `column = value`. */
  fixedBy(where: WhereNode | undefined, source: Source): Fields {
    const fixed: Record<string, unknown> = {};
    for (const condition of conditionsOf(where)) {
      if (!isKind<BinaryOperationNode>(condition, 'BinaryOperationNode') || operatorOf(condition) !== '=') continue;
      const name = columnNameOf(condition.leftOperand);
      if (name === undefined || !isKind<ValueNode>(condition.rightOperand, 'ValueNode')) continue;
      const own = name.table === undefined ? this.sources.length === 1 : name.table === source.name;
      if (own) fixed[name.column] = condition.rightOperand.value;
    }
    return fixed;
  }

  #findHere({ table, column }: ColumnName): FoundColumn | undefined {
    const found = this.sources.flatMap(({ name, declared }): FoundColumn[] => {
      if (declared === undefined || (table !== undefined && table !== name)) return [];
      const hit = columnOf(declared, column);
      return hit === undefined ? [] : [{ source: { name, declared }, column: hit, here: true }];
    });
    if (found.length > 1)
      throw refuse(`"${column}" is a column of two tables.`, 'Write the name of its table before it.');
    return found[0];
  }

  #sourceOf(node: OperationNode): Source[] {
    if (isKind<TableNode>(node, 'TableNode')) {
      const table = tableNameOf(node);
      const name = node.table.identifier.name;
      const known = table !== undefined && (node.table.schema !== undefined || !this.#withNames.has(table));
      return [{ name, declared: known ? this.tables.get(table) : undefined }];
    }
    if (isKind<AliasNode>(node, 'AliasNode')) {
      const name = aliasOf(node);
      if (name === undefined) return [];
      const [inner] = isKind<TableNode>(node.node, 'TableNode') ? this.#sourceOf(node.node) : [];
      return [{ name, declared: inner?.declared }];
    }
    return [];
  }
}

export const operatorOf = ({ operator }: BinaryOperationNode): string | undefined =>
  isKind<OperatorNode>(operator, 'OperatorNode') ? operator.operator : undefined;

function namesOf(withNode: WithNode | undefined): readonly string[] {
  return (withNode?.expressions ?? []).flatMap(({ name }: CommonTableExpressionNode) => {
    const { identifier } = name.table.table;
    return IdentifierNode.is(identifier) ? [identifier.name] : [];
  });
}

function columnOf(declared: DeclaredTable, name: string): DeclaredColumn | undefined {
  const column = declared.columns.get(name);
  if (column !== undefined) return column;
  for (const other of declared.columns.values()) if (other.column.moving?.from === name) return other;
  return undefined;
}
