/** The log as events of OCSF 1.9, for security information systems. docs/format/audit.md says what becomes what. */
import { toHex } from '@strongroom/kernel';
import type { EventCatalogue } from './catalogue.ts';
import type { EventColumns } from './entry.ts';
import { ocsfPlace, OTHER_ACTIVITY, type OcsfPlace } from './internal/ocsf-classes.ts';
import type { LogEntry } from './log-source.ts';
import { formatMicroseconds } from './times.ts';

/** The version of the schema that every event names. */
const OCSF_VERSION = '1.9.0';

type Fields = Readonly<Record<string, unknown>>;

/** One event as plain JSON. */
export type OcsfEvent = Fields;

export interface OcsfOptions {
  /** What is known of each type; a type that is missing there is exported as API activity "Other". */
  readonly events: EventCatalogue;
  /** Version of the program that exports. */
  readonly program: string;
  /** Name of the log, as in its checkpoints. */
  readonly origin: string;
}

/** Null for entries whose event the source does not show. */
export function ocsfEvent(entry: LogEntry, { events, program, origin }: OcsfOptions): OcsfEvent | null {
  const { event } = entry;
  if (typeof event === 'string') return null;
  const declaration = events.get(event.type);
  const place = ocsfPlace(declaration?.ocsf ?? 'api-activity/other');
  const { ocsfClass, activityId, activityCaption } = place;
  const details = readDetails(event);
  // The captions of 99 are the source's own (OCSF, "activity_id").
  const activityName = activityId === OTHER_ACTIVITY ? event.type : activityCaption;
  const succeeded = event.outcome === 'success';
  return {
    activity_id: activityId,
    activity_name: activityName,
    category_uid: ocsfClass.category.uid,
    category_name: ocsfClass.category.caption,
    class_uid: ocsfClass.uid,
    class_name: ocsfClass.caption,
    type_uid: ocsfClass.uid * 100 + activityId,
    type_name: `${ocsfClass.caption}: ${activityName}`,
    time: Math.floor(event.occurredAt / 1000),
    severity_id: succeeded ? 1 : 2,
    severity: succeeded ? 'Informational' : 'Low',
    status_id: succeeded ? 1 : 2,
    status: succeeded ? 'Success' : 'Failure',
    ...(event.reason === null ? {} : { status_code: event.reason }),
    ...(succeeded ? {} : { status_detail: event.outcome }),
    ...(declaration === undefined ? {} : { message: declaration.title }),
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Strongroom', vendor_name: 'Strongroom', version: program },
      log_name: origin,
      uid: event.eventId,
      sequence: entry.index,
      event_code: event.type,
      correlation_uid: event.requestId,
      original_time: formatMicroseconds(event.occurredAt),
      ...(event.tenantId === null ? {} : { tenant_uid: event.tenantId }),
      ...(declaration === undefined ? {} : { labels: [declaration.class] }),
    },
    actor: actorOf(event),
    src_endpoint: sourceOf(entry, event),
    ...ownFields(place, event, details),
    unmapped: {
      details,
      leaf_hash: toHex(entry.leafHash),
      ...(event.subjects.length === 0 ? {} : { subjects: [...event.subjects] }),
      ...(event.objectType === null ? {} : { object: { type: event.objectType, uid: event.objectId } }),
    },
  };
}

/** What the class requires beyond what every event has. */
function ownFields({ name }: OcsfPlace, event: EventColumns, details: Fields): Fields {
  switch (name) {
    case 'authentication':
      return { user: userOf(event.actor ?? event.subjects[0]), service: { name: 'Strongroom' }, ...sessionOf(event) };
    case 'authorize-session':
      return { user: userOf(event.actor ?? event.subjects[0]), privileges: [event.type], ...sessionOf(event) };
    case 'user-management':
      return { user: userOf(personConcerned(event)), ...rolesOf(details), ...resourceOf(event) };
    case 'role-management':
      return { iam_role: { name: textOf(details, 'role') ?? event.objectId ?? event.type } };
    case 'entity-management':
      return {
        entity: {
          name: event.objectType ?? event.type,
          type_id: 99,
          type: event.objectType ?? 'Other',
          ...uidOf(event),
        },
      };
    case 'datastore-activity':
      return {
        database: { name: 'Strongroom', type_id: 1, type: 'Relational' },
        ...(event.objectType === null
          ? {}
          : { databucket: { name: event.objectType, type_id: 99, type: event.objectType, ...uidOf(event) } }),
      };
    case 'api-activity':
    default:
      return { api: { operation: event.type, service: { name: 'Strongroom' } }, ...resourcesOf(event) };
  }
}

/** Who acted. An operator and a job are programs on this machine, whoever started them. */
function actorOf(event: EventColumns): Fields {
  if (event.actorKind === 'account') return { user: userOf(event.actor ?? undefined), ...sessionOf(event) };
  return { app_name: event.actorVia ?? event.actorKind, user: { ...unknownUser, ...programUser[event.actorKind] } };
}

const unknownUser = { name: 'unknown', type_id: 0, type: 'Unknown' };
const programUser: Readonly<Record<string, Fields>> = {
  operator: { name: 'operator', type_id: 2, type: 'Admin' },
  system: { name: 'system', type_id: 3, type: 'System' },
};

/** A pseudonym; who is behind it stands in no export. */
const userOf = (pseudonym: string | undefined): Fields =>
  pseudonym === undefined ? unknownUser : { uid: pseudonym, type_id: 1, type: 'User' };

const personConcerned = ({ objectType, objectId, subjects, actor }: EventColumns): string | undefined =>
  (objectType === 'account' ? objectId : null) ?? subjects[0] ?? actor ?? undefined;

/** The prefix of the network, never an address; whoever acts on the machine itself comes from no network. */
function sourceOf({ addressPrefix }: LogEntry, { actorVia, actorKind }: EventColumns): Fields {
  if (addressPrefix !== null && addressPrefix.value !== '')
    return { name: addressPrefix.value, subnet_uid: addressPrefix.value };
  return { name: actorVia ?? (actorKind === 'account' || actorKind === 'anonymous' ? 'unknown' : actorKind) };
}

const sessionOf = ({ sessionId }: EventColumns): Fields => (sessionId === null ? {} : { session: { uid: sessionId } });

const uidOf = ({ objectId }: EventColumns): Fields => (objectId === null ? {} : { uid: objectId });

const resourceOf = (event: EventColumns): Fields =>
  event.objectType === null || event.objectType === 'account' ? {} : resourcesOf(event);

const resourcesOf = (event: EventColumns): Fields =>
  event.objectType === null ? {} : { resources: [{ name: event.objectType, type: event.objectType, ...uidOf(event) }] };

function rolesOf(details: Fields): Fields {
  const role = textOf(details, 'role') ?? textOf(details, 'before');
  return role === undefined ? {} : { iam_roles: [{ name: role }] };
}

const textOf = (details: Fields, name: string): string | undefined => {
  const value = details[name];
  return typeof value === 'string' ? value : undefined;
};

/** The stored text was hashed, so it is what it was; whether it is JSON is for verification to say. */
function readDetails({ details }: EventColumns): Fields {
  try {
    return JSON.parse(details) as Fields;
  } catch {
    return { text: details };
  }
}
