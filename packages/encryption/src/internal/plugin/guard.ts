/** Everything in a query that is no place for an encrypted column. */
import {
  BinaryOperationNode,
  ColumnNode,
  IdentifierNode,
  OrNode,
  ParensNode,
  ReferenceNode,
  TableNode,
  ValueListNode,
  ValueNode,
  type AliasNode,
  type OperationNode,
  type PrimitiveValueListNode,
  type RawNode,
  type SelectModifierNode,
} from 'kysely';
import type { Uuid } from '@strongroom/kernel';
import { EncryptionError } from '../../errors.ts';
import type { Fields } from '../codec/declaration.ts';
import type { IndexMatch } from '../codec/indexes.ts';
import { aliasOf, allColumnsOf, columnNameOf, isKind, mapChildren, refuse } from './nodes.ts';
import { PendingMatch } from './pending.ts';
import { operatorOf, type FoundColumn, type Scope, type Source } from './scope.ts';

/** What the guard asks of the rest. */
export interface GuardPort {
  /** A query within the query. */
  nested(node: OperationNode, scope: Scope): OperationNode;
  /** Columns and values of which a row with that text has one. */
  matches(found: FoundColumn, tenant: Uuid | null, text: string): readonly IndexMatch[];
}

const QUERIES = new Set<OperationNode['kind']>([
  'SelectQueryNode',
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
  'MergeQueryNode',
]);

/** What lists the tables of a query. */
const TABLES = new Set<OperationNode['kind']>(['FromNode', 'UsingNode', 'JoinNode']);

const isTable = (node: OperationNode): boolean =>
  node.kind === 'TableNode' || (isKind<AliasNode>(node, 'AliasNode') && node.node.kind === 'TableNode');

/**
 * A copy in which comparisons with an encrypted column have become comparisons with its index. Throws for every other mention of one.
 * `fixed`: what the query's condition says about a table's columns.
 */
export function guard(
  node: OperationNode,
  scope: Scope,
  port: GuardPort,
  fixed: (source: Source) => Fields,
): OperationNode {
  const visit = (child: OperationNode): OperationNode => {
    if (QUERIES.has(child.kind)) return port.nested(child, scope);
    if (isKind<BinaryOperationNode>(child, 'BinaryOperationNode')) {
      return comparison(child, scope, port, fixed) ?? mapChildren(child, visit);
    }
    if (isKind<RawNode>(child, 'RawNode')) {
      checkRaw(child, scope);
      return mapChildren(child, visit);
    }
    if (TABLES.has(child.kind)) return mapChildren(child, (table) => (isTable(table) ? table : visit(table)));
    if (child.kind === 'CommonTableExpressionNameNode') return child;
    // `for update of "people"`: names a table, reads nothing.
    if (isKind<SelectModifierNode>(child, 'SelectModifierNode') && child.rawModifier === undefined) return child;
    if (isKind<AliasNode>(child, 'AliasNode')) {
      const alias = aliasOf(child);
      if (alias === undefined) return mapChildren(child, visit);
      const aliased: AliasNode = { ...child, node: visit(child.node) };
      return aliased;
    }
    checkMention(child, scope);
    return child.kind === 'ReferenceNode' || child.kind === 'ColumnNode' ? child : mapChildren(child, visit);
  };
  return visit(node);
}

/** Throws when `node` reads an encrypted column. */
function checkMention(node: OperationNode, scope: Scope): void {
  const name = columnNameOf(node);
  if (name !== undefined) {
    const found = scope.find(name);
    if (found !== undefined) throw notHere(found);
    if (name.table === undefined && scope.results.has(name.column)) {
      throw refuse(`"${name.column}" is encrypted and has no order.`, 'Order by another column, or in the program.');
    }
  }
  const all = node.kind === 'SelectAllNode' ? undefined : allColumnsOf(node);
  const table = all?.table ?? (TableNode.is(node) ? node.table.identifier.name : undefined);
  const declared = table === undefined ? undefined : (scope.sourceNamed(table) ?? scope.unknownSource(table)).declared;
  if (declared !== undefined) throw wholeRow(declared.table);
}

export const wholeRow = (table: string): EncryptionError =>
  refuse(`Whole rows of ${table} hold encrypted columns.`, 'Name the columns.');

const nameOf = ({ source, column }: FoundColumn): string => `${source.declared.table}.${column.name}`;

function notHere(found: FoundColumn): EncryptionError {
  const { index } = found.column.column;
  const way = index === undefined ? '' : `, and compared for equality with "=" or "in"`;
  return refuse(
    `${nameOf(found)} is encrypted.`,
    `It can be selected by itself in the outermost query${way}; do anything else in the program, with the open value.`,
  );
}

function comparison(
  node: BinaryOperationNode,
  scope: Scope,
  port: GuardPort,
  fixed: (source: Source) => Fields,
): OperationNode | undefined {
  const name = columnNameOf(node.leftOperand);
  const found = name === undefined ? undefined : scope.find(name);
  if (found === undefined || isMatch(node.rightOperand)) return found && node;
  const operator = operatorOf(node);
  const { column, source } = found;
  const { moving } = column.column;
  if ((operator === 'is' || operator === 'is not') && isNull(node.rightOperand)) {
    if (moving !== undefined) throw refuse(`${nameOf(found)} is being encrypted.`, 'Look for null in the program.');
    return found.here ? node : undefined;
  }
  // The column in the clear is nobody's business by its own name.
  if (name?.column !== column.name) throw notHere(found);
  const texts = operator === '=' || operator === 'in' ? textsOf(node.rightOperand) : undefined;
  if (texts === undefined || !found.here) throw notHere(found);
  if (column.column.index === undefined) {
    throw refuse(`${nameOf(found)} has no blind index.`, 'Declare one in the data map, or search in the program.');
  }
  const { declared } = source;
  const tenant = declared.tenant === null ? null : fixed(source)[declared.tenant];
  if (tenant === undefined) {
    throw new EncryptionError('encryption.place-unknown', {
      detail: `To search ${nameOf(found)}, say in the same condition which ${declared.table}.${declared.tenant} it is.`,
    });
  }
  const indexed = texts.flatMap((text) => port.matches(found, tenant as Uuid | null, text));
  const matches: { readonly column: string; readonly value: unknown }[] =
    moving === undefined
      ? indexed
      : [
          ...texts.map((text) => ({ column: moving.from, value: new PendingMatch(declared, column, true, text) })),
          ...indexed.map((match) => ({ ...match, value: new PendingMatch(declared, column, false, match.value) })),
        ];
  const conditions = [...Map.groupBy(matches, (match) => match.column)].map(([compared, values]) => {
    const reference = ReferenceNode.create(ColumnNode.create(compared), TableNode.create(source.name));
    const hashes = values.map(({ value }) => ValueNode.create(value));
    return BinaryOperationNode.create(
      reference,
      node.operator,
      operator === '=' ? hashes[0]! : ValueListNode.create(hashes),
    );
  });
  const [first, ...others] = conditions;
  if (others.length === 0) return first;
  return ParensNode.create(others.reduce<OperationNode>((left, right) => OrNode.create(left, right), first!));
}

/** Of a query within the query that was rewritten when it was built. */
const isMatch = (node: OperationNode): boolean =>
  isKind<ValueListNode>(node, 'ValueListNode')
    ? node.values.every((value) => isMatch(value))
    : isKind<ValueNode>(node, 'ValueNode') && node.value instanceof PendingMatch;

const isNull = (node: OperationNode): boolean => isKind<ValueNode>(node, 'ValueNode') && node.value === null;

function textsOf(node: OperationNode): readonly string[] | undefined {
  if (isKind<ValueNode>(node, 'ValueNode')) return typeof node.value === 'string' ? [node.value] : undefined;
  const values = isKind<PrimitiveValueListNode>(node, 'PrimitiveValueListNode') ? node.values : undefined;
  const texts = values?.filter((value) => typeof value === 'string');
  return texts === undefined || texts.length === 0 || texts.length !== values?.length ? undefined : texts;
}

/** A name, unless it only says of which table the one after it is. */
const WORD = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*(?![\w$\u0080-\uffff])(?!"?\s*\.\s*"?[a-z_\u0080-\uffff])/g;

/** Raw SQL may do what it likes as long as no encrypted column, nor a whole row with one, is mentioned in it. */
function checkRaw(node: RawNode, scope: Scope): void {
  const text = node.sqlFragments.join(' ? ').toLowerCase();
  // An identifier with escapes could be anything.
  if (text.includes('u&"')) throw refuse('Raw SQL with an escaped identifier.', 'Write the name as it is.');
  const words = new Set([
    ...(text.match(WORD) ?? []),
    ...node.parameters.flatMap((parameter) => identifiersIn(parameter)),
  ]);
  for (const declared of scope.tables.values()) {
    const names = scope.namesOf(declared);
    if ([declared.table, ...names].some((name) => words.has(name.toLowerCase()))) throw rawMention(declared.table);
    if (names.length === 0) continue;
    for (const { name, column } of declared.columns.values()) {
      for (const mentioned of [name, column.moving?.from]) {
        if (mentioned === undefined || !words.has(mentioned.toLowerCase())) continue;
        throw rawMention(`${declared.table}.${mentioned}`);
      }
    }
  }
}

/** Of `sql.id` and `sql.table`; references are looked at one by one. */
function identifiersIn(node: OperationNode): readonly string[] {
  if (IdentifierNode.is(node)) return [node.name.toLowerCase()];
  if (TableNode.is(node)) return [node.table.identifier.name.toLowerCase()];
  return [];
}

const rawMention = (name: string): EncryptionError =>
  refuse(`Raw SQL mentions ${name}.`, 'Use the query builder, or the transaction itself and the row codec.');
