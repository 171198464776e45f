/** Reading and copying Kysely's operation nodes. */
import type { AliasNode, ColumnNode, OperationNode, ReferenceNode, TableNode, WhereNode } from 'kysely';
import { EncryptionError } from '../../errors.ts';

/** `way`: what to write instead, a sentence. */
export const refuse = (what: string, way: string): EncryptionError =>
  new EncryptionError('encryption.query-refused', { detail: `${what} ${way}` });

export const isKind = <Node extends OperationNode>(node: OperationNode | undefined, kind: Node['kind']): node is Node =>
  node?.kind === kind;

/** A copy with every child replaced. Values are left alone: what looks like a node in there is data. */
export function mapChildren<Node extends OperationNode>(
  node: Node,
  map: (child: OperationNode) => OperationNode,
): Node {
  if (node.kind === 'ValueNode' || node.kind === 'PrimitiveValueListNode') return node;
  const copied = Object.entries(node).map(([name, value]: [string, unknown]) => [name, mapValue(value, map)]);
  return Object.fromEntries(copied) as Node;
}

/** Kysely's own test for it is not exported. */
const isOperationNode = (value: unknown): value is OperationNode =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  typeof value.kind === 'string' &&
  value.kind.endsWith('Node');

/** Replaces the nodes in `value`, which may be one, a list of them, or anything else. */
export function mapValue(value: unknown, map: (child: OperationNode) => OperationNode): unknown {
  if (Array.isArray(value)) return value.map((item) => mapValue(item, map));
  return isOperationNode(value) ? map(value) : value;
}

/** A reference to one column, with the name of its table where it is given. */
export interface ColumnName {
  readonly table: string | undefined;
  readonly column: string;
}

/** `undefined` for everything that is no plain reference to a column. */
export function columnNameOf(node: OperationNode | undefined): ColumnName | undefined {
  if (isKind<ColumnNode>(node, 'ColumnNode')) return { table: undefined, column: node.column.name };
  if (!isKind<ReferenceNode>(node, 'ReferenceNode') || !isKind<ColumnNode>(node.column, 'ColumnNode')) return undefined;
  return { table: node.table?.table.identifier.name, column: node.column.column.name };
}

/** `table.*`, or `*` with `null` for the table; `undefined` for everything else. */
export function allColumnsOf(node: OperationNode | undefined): { readonly table: string | null } | undefined {
  if (node?.kind === 'SelectAllNode') return { table: null };
  if (!isKind<ReferenceNode>(node, 'ReferenceNode') || node.column.kind !== 'SelectAllNode') return undefined;
  return { table: node.table?.table.identifier.name ?? null };
}

export const aliasOf = ({ alias }: AliasNode): string | undefined =>
  'name' in alias && typeof alias.name === 'string' ? alias.name : undefined;

/** The name by which a table is found in the declared ones; not one of another schema. */
export function tableNameOf({ table }: TableNode): string | undefined {
  return table.schema === undefined || table.schema.name === 'public' ? table.identifier.name : undefined;
}

/** What must be true of every row of the query: the parts of its condition that are joined by `and`. */
export function conditionsOf(where: WhereNode | undefined): readonly OperationNode[] {
  const parts: OperationNode[] = [];
  const collect = (node: OperationNode): void => {
    if (node.kind === 'AndNode' && 'left' in node && 'right' in node) {
      collect(node.left as OperationNode);
      collect(node.right as OperationNode);
    } else if (node.kind === 'ParensNode' && 'node' in node) collect(node.node as OperationNode);
    else parts.push(node);
  };
  if (where !== undefined) collect(where.where);
  return parts;
}
