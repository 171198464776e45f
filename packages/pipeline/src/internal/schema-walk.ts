/** Questions about declared schemas, answered from zod's own definitions. */
import type { z } from 'zod';

/** zod's closed list of schema kinds; every class it exports is one of them. */
const definitionOf = (schema: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] =>
  (schema as z.core.$ZodTypes)._zod.def;

type ObjectDefinition = z.core.$ZodObjectDef;

/** Every object schema inside, with the place where it was found. */
export function objectSchemas(
  schema: z.core.$ZodType,
  place: string,
): { place: string; definition: ObjectDefinition }[] {
  const found: { place: string; definition: ObjectDefinition }[] = [];
  const seen = new Set<z.core.$ZodType>();
  const visit = (current: z.core.$ZodType, at: string): void => {
    if (seen.has(current)) return;
    seen.add(current);
    const definition = definitionOf(current);
    if (definition.type === 'object') found.push({ place: at, definition });
    for (const [step, child] of children(definition)) visit(child, `${at}${step}`);
  };
  visit(schema, place);
  return found;
}

/** What a value must be at the top, through wrappers and pipes: one object schema, or several of a union. */
export function topObjects(schema: z.core.$ZodType): ObjectDefinition[] | undefined {
  const definition = definitionOf(schema);
  if (definition.type === 'object') return [definition];
  if (definition.type === 'readonly') return topObjects(definition.innerType);
  if (definition.type === 'pipe') return topObjects(definition.in);
  if (definition.type !== 'union') return undefined;
  const options = definition.options.map(topObjects);
  return options.every((option) => option !== undefined) ? options.flat() : undefined;
}

/** Refuses what it does not declare. */
export const isStrict = (definition: ObjectDefinition): boolean =>
  definition.catchall !== undefined && definitionOf(definition.catchall).type === 'never';

/** Lets pass what it does not declare. (Without a catchall an object schema drops it.) */
export const isOpen = (definition: ObjectDefinition): boolean =>
  definition.catchall !== undefined && !isStrict(definition);

export const isNull = (schema: z.core.$ZodType): boolean => definitionOf(schema).type === 'null';

/** Schemas inside a schema, each with the step that leads to it. Told apart by zod's own property names. */
function children(definition: z.core.$ZodTypes['_zod']['def']): [string, z.core.$ZodType][] {
  if ('shape' in definition) return Object.entries(definition.shape).map(([key, child]) => [`.${key}`, child]);
  if ('innerType' in definition) return [['', definition.innerType]];
  if ('element' in definition) return [['[]', definition.element]];
  if ('items' in definition) {
    const items: readonly z.core.$ZodType[] = definition.items;
    return [...items, ...(definition.rest === null ? [] : [definition.rest])].map((item) => ['[]', item]);
  }
  if ('options' in definition) return definition.options.map((option) => ['', option]);
  if ('left' in definition) return pair(definition.left, definition.right);
  if ('in' in definition) return pair(definition.in, definition.out);
  if ('valueType' in definition) return [[definition.type === 'set' ? '[]' : '{}', definition.valueType]];
  if ('getter' in definition) return [['', definition.getter()]];
  return [];
}

const pair = (first: z.core.$ZodType, second: z.core.$ZodType): [string, z.core.$ZodType][] => [
  ['', first],
  ['', second],
];
