/** Encrypted columns among the results of a query, and what has to be selected beside them so that they can be opened. */
import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  ReferenceNode,
  SelectionNode,
  TableNode,
  type OperationNode,
  type SelectModifierNode,
  type SelectQueryNode,
} from 'kysely';
import type { DeclaredColumn, DeclaredTable } from '../codec/declaration.ts';
import { aliasOf, allColumnsOf, columnNameOf, isKind, refuse } from './nodes.ts';
import type { FoundColumn, Scope, Source } from './scope.ts';

/** How the rows of one table within the result are opened. */
export interface OpenPlan {
  readonly declared: DeclaredTable;
  /** Column of the table → name under which the result has it. They are taken out of the rows. */
  readonly beside: ReadonlyMap<string, string>;
  readonly columns: readonly { readonly column: DeclaredColumn; readonly result: string }[];
  /** Columns of the result that nobody is to see. */
  readonly hidden: readonly string[];
}

interface Opened {
  readonly selections: readonly SelectionNode[] | undefined;
  /** Those that mention encrypted columns and may. */
  readonly allowed: ReadonlySet<SelectionNode>;
  readonly plans: readonly OpenPlan[];
}

interface Wanted {
  readonly source: Source & { readonly declared: DeclaredTable };
  readonly columns: { column: DeclaredColumn; result: string }[];
  readonly hidden: string[];
}

/** `outermost`: what a query within the query selects is lost to us, so it selects no encrypted columns. */
export function openSelections(node: SelectQueryNode, scope: Scope, outermost: boolean): Opened {
  const allowed = new Set<SelectionNode>();
  const wanted = new Map<string, Wanted>();
  const results: string[] = [];
  const want = (source: Wanted['source'], column: DeclaredColumn, result: string): void => {
    const entry = wanted.get(source.name) ?? { source, columns: [], hidden: [] };
    wanted.set(source.name, entry);
    entry.columns.push({ column, result });
  };
  for (const selection of node.selections ?? []) {
    const all = allColumnsOf(selection.selection);
    if (all !== undefined) {
      for (const source of everyColumnOf(scope, all.table)) {
        const { declared } = source;
        if (!outermost) throw lost(declared.table);
        if (scope.sources.length > 1 && all.table === null) {
          throw refuse(
            `"*" of several tables, with encrypted columns in ${declared.table}.`,
            `Say ${source.name}.*, or name the columns.`,
          );
        }
        allowed.add(selection);
        for (const column of declared.columns.values()) {
          want(source, column, column.name);
          if (column.column.moving !== undefined) wanted.get(source.name)?.hidden.push(column.column.moving.from);
        }
      }
      results.push(`* of ${all.table ?? ''}`);
      continue;
    }
    const { found, result } = selectedColumn(selection.selection, scope);
    if (result !== undefined) results.push(result);
    if (found === undefined) continue;
    const { source, column } = found;
    if (!outermost || !found.here) throw lost(`${source.declared.table}.${column.name}`);
    if (result === undefined || column.name !== columnNameOf(withoutAlias(selection.selection))?.column) {
      throw refuse(`${source.declared.table}.${column.name} is being encrypted.`, 'Select it by its own name.');
    }
    allowed.add(selection);
    want(source, column, result);
  }
  if (wanted.size === 0) return { selections: node.selections, allowed, plans: [] };
  checkShape(node, results, [...wanted.values()]);
  const added: SelectionNode[] = [];
  const beside = (source: string, column: string): string => {
    const name = `strongroom_${added.length}`;
    const reference = ReferenceNode.create(ColumnNode.create(column), TableNode.create(source));
    const selection = SelectionNode.create(AliasNode.create(reference, IdentifierNode.create(name)));
    allowed.add(selection);
    added.push(selection);
    return name;
  };
  const plans = [...wanted.values()].map(({ source, columns, hidden }): OpenPlan => {
    const { declared } = source;
    const needed = new Set([...declared.row, ...(declared.tenant === null ? [] : [declared.tenant])]);
    for (const { column } of columns) {
      if (column.subject !== null) needed.add(column.subject);
      if (column.column.moving !== undefined) needed.add(column.column.moving.from);
    }
    const names = new Map([...needed].map((column) => [column, beside(source.name, column)]));
    return { declared, beside: names, columns, hidden: [...hidden, ...names.values()] };
  });
  return { selections: [...(node.selections ?? []), ...added], allowed, plans };
}

const lost = (name: string) =>
  refuse(
    `${name} is selected within another query.`,
    'There it could not be opened any more: select it in the outermost query.',
  );

function everyColumnOf(scope: Scope, table: string | null): readonly Wanted['source'][] {
  const sources = table === null ? scope.sources : scope.sources.filter(({ name }) => name === table);
  return sources.flatMap(({ name, declared }) => (declared === undefined ? [] : [{ name, declared }]));
}

const withoutAlias = (node: OperationNode): OperationNode => (isKind<AliasNode>(node, 'AliasNode') ? node.node : node);

function selectedColumn(
  selection: OperationNode,
  scope: Scope,
): { readonly found: FoundColumn | undefined; readonly result: string | undefined } {
  const name = columnNameOf(withoutAlias(selection));
  const result = isKind<AliasNode>(selection, 'AliasNode') ? aliasOf(selection) : name?.column;
  return { found: name === undefined ? undefined : scope.find(name), result };
}

/** Throws where the columns selected beside would change what the query means, or a result has two meanings. */
function checkShape(node: SelectQueryNode, results: readonly string[], wanted: readonly Wanted[]): void {
  const { table } = wanted[0]!.source.declared;
  const modifiers: readonly SelectModifierNode[] = node.frontModifiers ?? [];
  const distinct = node.distinctOn !== undefined || modifiers.some(({ modifier }) => modifier === 'Distinct');
  if (distinct || node.groupBy !== undefined || node.having !== undefined) {
    throw refuse(
      `Rows of ${table} with encrypted columns cannot be grouped or made distinct.`,
      'Do it in the program.',
    );
  }
  if (node.setOperations !== undefined) {
    throw refuse(
      `Rows of ${table} with encrypted columns cannot be combined with those of another query.`,
      'Run two queries.',
    );
  }
  const everything = results.filter((result) => result.startsWith('* of '));
  const opened = wanted.flatMap(({ columns }) => columns.map(({ result }) => result));
  const named = results.filter((result) => !result.startsWith('* of '));
  const twice = opened.find(
    (result) =>
      opened.indexOf(result) !== opened.lastIndexOf(result) || named.filter((other) => other === result).length > 1,
  );
  const hiddenTwice = wanted.some(({ source, columns }) =>
    columns.some(({ result }) => everything.includes(`* of ${source.name}`) && named.includes(result)),
  );
  if (twice !== undefined || hiddenTwice || everything.length > 1) {
    throw refuse(
      `Two results could have the name of an encrypted column of ${table}.`,
      'Name the columns, and give each a name of its own.',
    );
  }
}
