/**
 * A validator for OCSF events, from the schema's own source files: `extends`, `$include` and the dictionary are resolved as the
 * schema's metaschema describes, and nothing that is not declared passes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Attribute {
  readonly type?: string;
  readonly is_array?: boolean;
  readonly requirement?: 'required' | 'recommended' | 'optional';
  /** Allowed only where the event names this profile; null: always. */
  readonly profile?: string | null;
  readonly enum?: Readonly<Record<string, { readonly caption: string }>>;
  readonly sibling?: string;
  readonly '@deprecated'?: unknown;
}

interface Definition {
  readonly name: string;
  readonly uid?: number;
  readonly category?: string;
  readonly extends?: string;
  readonly attributes: Readonly<Record<string, Attribute | readonly string[]>>;
  readonly constraints?: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] };
  readonly '@deprecated'?: unknown;
}

interface Resolved extends Omit<Definition, 'attributes'> {
  readonly attributes: ReadonlyMap<string, Attribute>;
}

interface ValueType {
  readonly type?: string;
  readonly regex?: string;
  readonly range?: readonly [number, number];
  readonly max_len?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** Answers with one line for each thing that is wrong; empty for a valid event. */
export type OcsfValidator = (event: unknown) => string[];

const readJson = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'));

function definitions(folder: string): Definition[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .map((file) => readJson(folder, file) as Definition);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `folder`: of a checkout of ocsf-schema. */
export function ocsfValidator(folder: string): OcsfValidator {
  const dictionary = readJson(folder, 'dictionary.json') as {
    readonly attributes: Readonly<Record<string, Attribute>>;
    readonly types: { readonly attributes: Readonly<Record<string, ValueType>> };
  };
  const categories = (
    readJson(folder, 'categories.json') as { attributes: Record<string, { uid: number; caption: string }> }
  ).attributes;
  const events = new Map(definitions(join(folder, 'events')).map((one) => [one.name, one]));
  const objects = new Map(definitions(join(folder, 'objects')).map((one) => [one.name, one]));
  const resolvedObjects = new Map<string, Resolved>();

  function merge(base: Attribute | undefined, own: Attribute): Attribute {
    const values = { ...base?.enum, ...own.enum };
    return { ...base, ...own, ...(Object.keys(values).length === 0 ? {} : { enum: values }) };
  }

  function resolve(definition: Definition, all: ReadonlyMap<string, Definition>): Resolved {
    const parent = definition.extends === undefined ? undefined : resolve(all.get(definition.extends)!, all);
    const attributes = new Map(parent?.attributes);
    const { $include: included = [], ...own } = definition.attributes;
    for (const path of included as readonly string[]) {
      const profile = readJson(folder, path) as Definition;
      for (const [name, attribute] of Object.entries(profile.attributes)) {
        attributes.set(
          name,
          merge(attributes.get(name) ?? dictionary.attributes[name], {
            ...(attribute as Attribute),
            profile: profile.name,
          }),
        );
      }
    }
    for (const [name, attribute] of Object.entries(own)) {
      attributes.set(name, merge(attributes.get(name) ?? dictionary.attributes[name], attribute as Attribute));
    }
    return { ...parent, ...definition, attributes };
  }

  const classes = new Map(
    [...events.values()].flatMap((definition) => {
      const resolved = resolve(definition, events);
      const category = categories[resolved.category ?? ''];
      return definition.uid === undefined || category === undefined
        ? []
        : [[category.uid * 1000 + definition.uid, { resolved, category }] as const];
    }),
  );

  function objectNamed(name: string): Resolved | undefined {
    const known = resolvedObjects.get(name);
    if (known !== undefined) return known;
    const definition = objects.get(name);
    if (definition === undefined) return undefined;
    const resolved = resolve(definition, objects);
    resolvedObjects.set(name, resolved);
    return resolved;
  }

  return function validate(event) {
    const defects: string[] = [];
    if (!isFields(event)) return ['the event is not an object'];
    const found = classes.get(Number(event['class_uid']));
    if (found === undefined) return ['class_uid: no such class'];
    const { resolved, category } = found;
    if (resolved['@deprecated'] !== undefined) defects.push('the class is deprecated');
    if (event['category_uid'] !== category.uid) defects.push('category_uid: not that of the class');
    if (event['type_uid'] !== Number(event['class_uid']) * 100 + Number(event['activity_id'])) {
      defects.push('type_uid: not that of class and activity');
    }
    const metadata = event['metadata'];
    const named = isFields(metadata) ? metadata['profiles'] : undefined;
    const profiles = new Set(Array.isArray(named) ? named : []);
    // Their own values are compared above; what base_event lists is what a generic event would have.
    const attributes = new Map(resolved.attributes);
    for (const name of ['category_uid', 'class_uid']) attributes.set(name, { ...attributes.get(name), enum: {} });
    checkObject({ ...resolved, attributes }, event, '', profiles, defects);
    return defects;
  };

  function checkObject(
    definition: Resolved,
    value: Fields,
    path: string,
    profiles: ReadonlySet<unknown>,
    defects: string[],
  ) {
    // The one object without attributes takes any.
    if (definition.attributes.size === 0) return;
    const allowed = new Map(
      [...definition.attributes].filter(
        ([, { profile }]) => profile === undefined || profile === null || profiles.has(profile),
      ),
    );
    for (const name of Object.keys(value)) {
      if (!allowed.has(name)) defects.push(`${path}${name}: no such attribute in ${definition.name}`);
    }
    for (const [name, attribute] of allowed) {
      const own = value[name];
      if (own === undefined) {
        if (attribute.requirement === 'required') defects.push(`${path}${name}: required`);
        continue;
      }
      if (attribute['@deprecated'] !== undefined) defects.push(`${path}${name}: deprecated`);
      checkAttribute(attribute, own, `${path}${name}`, profiles, defects);
      checkSibling(attribute, own, value, `${path}${name}`, defects);
    }
    const { at_least_one: some, just_one: one } = definition.constraints ?? {};
    const count = (names: readonly string[]) => names.filter((name) => value[name] !== undefined).length;
    if (some !== undefined && count(some) === 0) defects.push(`${path || 'event'}: at least one of ${some.join(', ')}`);
    if (one !== undefined && count(one) !== 1) defects.push(`${path || 'event'}: exactly one of ${one.join(', ')}`);
  }

  function checkAttribute(
    attribute: Attribute,
    value: unknown,
    path: string,
    profiles: ReadonlySet<unknown>,
    defects: string[],
  ) {
    if (attribute.is_array === true) {
      if (!Array.isArray(value)) defects.push(`${path}: not an array`);
      else
        for (const [index, item] of value.entries())
          checkValue(attribute, item, `${path}[${index}]`, profiles, defects);
      return;
    }
    checkValue(attribute, value, path, profiles, defects);
  }

  function checkValue(
    attribute: Attribute,
    value: unknown,
    path: string,
    profiles: ReadonlySet<unknown>,
    defects: string[],
  ) {
    const type = attribute.type ?? '';
    const values = Object.keys(attribute.enum ?? {});
    if (values.length > 0 && !values.includes(String(value))) defects.push(`${path}: not one of ${values.join(', ')}`);
    const valueType = dictionary.types.attributes[type];
    if (valueType !== undefined) {
      defects.push(...valueDefects(type, valueType, value).map((defect) => `${path}: ${defect}`));
      return;
    }
    const definition = objectNamed(type);
    if (definition === undefined) defects.push(`${path}: its type ${type} is unknown`);
    else if (isFields(value)) checkObject(definition, value, `${path}.`, profiles, defects);
    else defects.push(`${path}: not an object`);
  }

  /** The name beside a number is its caption; at 99 it is the source's own and must be there. */
  function checkSibling(attribute: Attribute, value: unknown, of: Fields, path: string, defects: string[]) {
    const { sibling, enum: values = {} } = attribute;
    if (sibling === undefined) return;
    const name = of[sibling];
    if (value === 99 && name === undefined) defects.push(`${path}: 99 needs ${sibling}`);
    const caption = values[String(value)]?.caption;
    if (value !== 99 && name !== undefined && caption !== undefined && name !== caption) {
      defects.push(`${path}: ${sibling} is not "${caption}"`);
    }
  }

  function valueDefects(name: string, { type, regex, range, max_len: longest }: ValueType, value: unknown): string[] {
    const base = type ?? name;
    if (base === 'json_t') return [];
    const isRight = {
      boolean_t: typeof value === 'boolean',
      integer_t: Number.isSafeInteger(value),
      long_t: Number.isSafeInteger(value),
      float_t: typeof value === 'number' && Number.isFinite(value),
      string_t: typeof value === 'string',
    }[base];
    if (isRight !== true) return [`not a ${name}`];
    return [
      ...(regex === undefined || new RegExp(regex).test(String(value)) ? [] : [`does not look like a ${name}`]),
      ...(range === undefined || (Number(value) >= range[0] && Number(value) <= range[1]) ? [] : [`out of range`]),
      ...(longest === undefined || String(value).length <= longest ? [] : ['too long']),
    ];
  }
}

/** The columns of an audit event about nobody and nothing, but for its type. `newId` makes the ids: `newUuid`. */
export const plainEvent = <Id extends string>(newId: () => Id) =>
  ({
    eventId: newId(),
    occurredAt: 1_790_000_000_123_456,
    outcome: 'success',
    reason: null,
    actorKind: 'anonymous',
    actor: null,
    actorVia: null,
    sessionId: null,
    tenantId: newId(),
    requestId: newId(),
    addressCommitment: null,
    objectType: null,
    objectId: null,
    subjects: [],
    details: '{}',
  }) as const;
