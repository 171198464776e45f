/** From the query that was built, with open values, to the one that is executed. */
import {
  ColumnNode,
  ColumnUpdateNode,
  type PrimitiveValueListNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  type DeleteQueryNode,
  type InsertQueryNode,
  type MergeQueryNode,
  type OnConflictNode,
  type OperationNode,
  type ReturningNode,
  type RootOperationNode,
  type SelectQueryNode,
  type UpdateQueryNode,
} from 'kysely';
import { EncryptionError } from '../../errors.ts';
import { placeOf, type DeclaredTable, type Fields } from '../codec/declaration.ts';
import type { Indexes } from '../codec/indexes.ts';
import { guard, wholeRow, type GuardPort } from './guard.ts';
import { allColumnsOf, columnNameOf, isKind, mapValue, refuse } from './nodes.ts';
import { PendingColumn, type PendingValue } from './pending.ts';
import { Scope, type DeclaredTables } from './scope.ts';
import { openSelections, type OpenPlan } from './selections.ts';

export interface Rewritten<Node extends OperationNode = OperationNode> {
  readonly node: Node;
  /** What is to be opened in the result, table by table. */
  readonly plans: readonly OpenPlan[];
}

export class Rewriter {
  readonly #tables: DeclaredTables;
  readonly #indexesOf: (declared: DeclaredTable) => Indexes;
  readonly #port: GuardPort;

  constructor(tables: DeclaredTables, indexesOf: (declared: DeclaredTable) => Indexes) {
    this.#tables = tables;
    this.#indexesOf = indexesOf;
    this.#port = {
      nested: (node, scope) => this.#query(node, scope).node,
      matches: ({ source, column }, tenant, text) => indexesOf(source.declared).matches(column, tenant, text),
    };
  }

  /** Throws `encryption.query-refused` or `encryption.place-unknown` with the way out. */
  rewrite<Node extends RootOperationNode>(node: Node): Rewritten<Node> {
    const { node: rewritten, plans } = this.#query(node, undefined);
    // A query becomes one of its own kind.
    return { node: rewritten as Node, plans };
  }

  #query(node: OperationNode, outer: Scope | undefined): Rewritten {
    if (isKind<SelectQueryNode>(node, 'SelectQueryNode')) return this.#select(node, outer);
    if (isKind<InsertQueryNode>(node, 'InsertQueryNode')) return { node: this.#insert(node, outer), plans: [] };
    if (isKind<UpdateQueryNode>(node, 'UpdateQueryNode')) return { node: this.#update(node, outer), plans: [] };
    if (isKind<DeleteQueryNode>(node, 'DeleteQueryNode')) return { node: this.#delete(node, outer), plans: [] };
    if (isKind<MergeQueryNode>(node, 'MergeQueryNode')) return { node: this.#merge(node, outer), plans: [] };
    return { node: this.#guarded(node, new Scope(this.#tables, [], outer)), plans: [] };
  }

  #guarded<Node extends OperationNode>(node: Node, scope: Scope, where?: SelectQueryNode['where']): Node {
    const guarded = guard(node, scope, this.#port, (source) => scope.fixedBy(where, source));
    return guarded as Node;
  }

  /** Every part of the query but those in `handled` goes through the guard. */
  #guardParts<Node extends OperationNode & { readonly where?: SelectQueryNode['where'] }>(
    node: Node,
    scope: Scope,
    handled: readonly string[],
  ): Node {
    const parts = Object.entries(node).map(([name, value]: [string, unknown]) => [
      name,
      handled.includes(name) ? value : mapValue(value, (child) => this.#guarded(child, scope, node.where)),
    ]);
    return Object.fromEntries(parts) as Node;
  }

  #select(node: SelectQueryNode, outer: Scope | undefined): Rewritten {
    const sources = [...(node.from?.froms ?? []), ...(node.joins ?? []).map(({ table }) => table)];
    const scope = new Scope(this.#tables, sources, outer, node.with);
    const opened = openSelections(node, scope, outer === undefined);
    for (const { columns } of opened.plans) for (const { result } of columns) scope.results.add(result);
    const selections = opened.selections?.map((selection) =>
      opened.allowed.has(selection) ? selection : this.#guarded(selection, scope, node.where),
    );
    return {
      node: {
        ...this.#guardParts(node, scope, ['selections']),
        ...(selections === undefined ? {} : { selections }),
      },
      plans: opened.plans,
    };
  }

  #insert(node: InsertQueryNode, outer: Scope | undefined): InsertQueryNode {
    const scope = new Scope(this.#tables, node.into === undefined ? [] : [node.into], outer, node.with);
    const declared = scope.sources[0]?.declared;
    if (declared === undefined) return this.#guardParts(node, scope, ['into', 'columns']);
    this.#checkReturning(node.returning, declared);
    for (const { column } of node.onConflict?.columns ?? []) this.#checkWritten(declared, column.name, 'conflict');
    for (const { column } of node.onConflict?.updates ?? []) {
      const name = columnNameOf(column)?.column;
      if (name !== undefined) this.#checkWritten(declared, name, 'conflict');
    }
    const handled = ['into', 'columns', 'values', 'onConflict'];
    const { updates, columns: target, ...conflict } = node.onConflict ?? {};
    const onConflict = node.onConflict && {
      ...this.#guardParts(conflict as OnConflictNode, scope, []),
      ...(target === undefined ? {} : { columns: target }),
      ...(updates === undefined
        ? {}
        : { updates: updates.map((update) => ({ ...update, value: this.#guarded(update.value, scope) })) }),
    };
    return {
      ...this.#guardParts(node, scope, handled),
      ...this.#insertedRows(node, declared, scope),
      ...(onConflict === undefined ? {} : { onConflict }),
    };
  }

  #insertedRows(
    { columns, values }: InsertQueryNode,
    declared: DeclaredTable,
    scope: Scope,
  ): Pick<InsertQueryNode, 'columns' | 'values'> {
    const names = columns?.map(({ column }) => column.name);
    const encrypted = names?.filter((name) => declared.columns.has(name)) ?? [];
    if (!isKind<ValuesNode>(values, 'ValuesNode')) {
      if (
        values !== undefined &&
        (names === undefined || encrypted.length > 0 || names.some((name) => isOwn(declared, name)))
      ) {
        throw refuse(
          `Rows of ${declared.table} cannot be inserted from a query.`,
          'Select them, then insert the open rows.',
        );
      }
      return {
        ...(columns === undefined ? {} : { columns }),
        ...(values === undefined ? {} : { values: this.#guarded(values, scope) }),
      };
    }
    const stored = [
      ...new Set([...(names ?? []), ...encrypted.flatMap((name) => this.#storedColumns(declared, name))]),
    ];
    const rows = values.values.map((item) => {
      const cells = new Map(
        (names ?? []).map((name, index) => [
          name,
          isKind<PrimitiveValueListNode>(item, 'PrimitiveValueListNode')
            ? ValueNode.create(item.values[index])
            : item.values[index]!,
        ]),
      );
      return this.#insertedRow(declared, cells, encrypted, stored, scope);
    });
    return { columns: stored.map((name) => ColumnNode.create(name)), values: ValuesNode.create(rows) };
  }

  #insertedRow(
    declared: DeclaredTable,
    cells: ReadonlyMap<string, OperationNode>,
    encrypted: readonly string[],
    stored: readonly string[],
    scope: Scope,
  ): ValueListNode {
    const at = Object.fromEntries(
      [...cells].flatMap(([name, cell]) => (isKind<ValueNode>(cell, 'ValueNode') ? [[name, cell.value]] : [])),
    );
    const written = new Map<string, OperationNode>();
    for (const [name, cell] of cells) {
      if (encrypted.includes(name)) {
        for (const [column, value] of this.#sealed(declared, name, cell, at)) written.set(column, value);
      } else if (!written.has(name)) {
        if (isOwn(declared, name) && !isPending(cell)) throw byItself(declared, name);
        written.set(name, this.#guarded(cell, scope));
      }
    }
    return ValueListNode.create(stored.map((name) => written.get(name) ?? ValueNode.create(null)));
  }

  /** The columns in which an encrypted column's value is stored, to be sealed when the query is executed. */
  #sealed(declared: DeclaredTable, name: string, cell: OperationNode, at: Fields): readonly [string, OperationNode][] {
    if (isPending(cell) || cell.kind === 'DefaultInsertValueNode') return [[name, cell]];
    if (!isKind<ValueNode>(cell, 'ValueNode')) {
      throw refuse(
        `${declared.table}.${name} is encrypted before it reaches the database.`,
        'Give its value, not an expression.',
      );
    }
    if (cell.value !== null) placeOf(declared, declared.columns.get(name)!, at);
    const pending: PendingValue = { declared, at, column: name, value: cell.value };
    return this.#storedColumns(declared, name).map((column) => [
      column,
      ValueNode.create(new PendingColumn(pending, column)),
    ]);
  }

  #storedColumns(declared: DeclaredTable, name: string): readonly string[] {
    const column = declared.columns.get(name)!;
    const { moving } = column.column;
    const indexes = Object.keys(this.#indexesOf(declared).values(column, null, null));
    return [name, ...indexes, ...(moving === undefined ? [] : [moving.from])];
  }

  #update(node: UpdateQueryNode, outer: Scope | undefined): UpdateQueryNode {
    const tables = [...(node.table === undefined ? [] : [node.table]), ...(node.from?.froms ?? [])];
    const scope = new Scope(
      this.#tables,
      [...tables, ...(node.joins ?? []).map(({ table }) => table)],
      outer,
      node.with,
    );
    const [source] = scope.sources;
    const declared = source?.declared;
    this.#checkReturning(node.returning, ...scope.sources.flatMap((each) => each.declared ?? []));
    const at = source === undefined ? {} : scope.fixedBy(node.where, source);
    const updates = node.updates?.flatMap((update) => {
      const name = columnNameOf(update.column)?.column;
      if (declared === undefined || name === undefined || !this.#written(declared, name)) {
        return [{ ...update, value: this.#guarded(update.value, scope, node.where) }];
      }
      if (isPending(update.value)) return [update];
      if (!declared.columns.has(name)) this.#checkWritten(declared, name, 'update');
      if (scope.sources.length > 1) {
        throw refuse(
          `An update of ${declared.table}.${name} with more than one table.`,
          'Select what is needed first.',
        );
      }
      return this.#sealed(declared, name, update.value, at).map(([column, value]) =>
        ColumnUpdateNode.create(ColumnNode.create(column), value),
      );
    });
    return {
      ...this.#guardParts(node, scope, ['table', 'updates']),
      ...(updates === undefined ? {} : { updates }),
    };
  }

  #delete(node: DeleteQueryNode, outer: Scope | undefined): DeleteQueryNode {
    const tables = [...node.from.froms, ...(node.using?.tables ?? []), ...(node.joins ?? []).map(({ table }) => table)];
    const scope = new Scope(this.#tables, tables, outer, node.with);
    this.#checkReturning(node.returning, ...scope.sources.flatMap(({ declared }) => declared ?? []));
    return this.#guardParts(node, scope, []);
  }

  #merge(node: MergeQueryNode, outer: Scope | undefined): MergeQueryNode {
    const tables = [node.into, ...(node.using === undefined ? [] : [node.using.table])];
    const scope = new Scope(this.#tables, tables, outer, node.with);
    const [declared] = scope.sources.flatMap((source) => source.declared ?? []);
    if (declared !== undefined) throw refuse(`A merge with ${declared.table}.`, 'Insert and update row by row.');
    return this.#guardParts(node, scope, ['into']);
  }

  #checkReturning(returning: ReturningNode | undefined, ...tables: readonly DeclaredTable[]): void {
    for (const { selection } of returning?.selections ?? []) {
      const all = allColumnsOf(selection);
      if (all !== undefined && tables.length > 0) throw wholeRow(tables[0]!.table);
    }
  }

  /** A column that the codec fills, or that says where values belong. */
  #written(declared: DeclaredTable, name: string): boolean {
    return declared.columns.has(name) || declared.place.has(name) || isOwn(declared, name);
  }

  /** Throws for a column that cannot be set by itself. */
  #checkWritten(declared: DeclaredTable, name: string, by: 'update' | 'conflict'): void {
    if (isOwn(declared, name)) {
      // The target of a conflict may be a unique index.
      if (by === 'conflict' && declared.indexes.has(name)) return;
      throw byItself(declared, name);
    }
    if (declared.columns.has(name)) {
      throw new EncryptionError('encryption.place-unknown', {
        detail: `Which row ${declared.table}.${name} would be written to on a conflict is not known: do nothing there, and update in a second statement.`,
      });
    }
    if (by === 'update' && declared.place.has(name)) {
      throw refuse(
        `The values of ${declared.table} are bound to ${declared.table}.${name}.`,
        'Insert an open row with the new one, and delete this one.',
      );
    }
  }
}

const isPending = (node: OperationNode): boolean =>
  isKind<ValueNode>(node, 'ValueNode') && node.value instanceof PendingColumn;

/** A column that nobody fills by hand. */
function isOwn(declared: DeclaredTable, name: string): boolean {
  if (declared.indexes.has(name)) return true;
  for (const { column } of declared.columns.values()) if (column.moving?.from === name) return true;
  return false;
}

const byItself = (declared: DeclaredTable, name: string): EncryptionError =>
  refuse(`${declared.table}.${name} is filled by itself.`, 'Give the column that it belongs to.');
