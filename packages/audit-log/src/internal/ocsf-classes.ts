/** OCSF 1.9: numbers and captions of the classes and activities that events are exported under. */
import type { OcsfActivity } from '@strongroom/kernel';

interface OcsfClass {
  readonly uid: number;
  readonly caption: string;
  readonly category: { readonly uid: number; readonly caption: string };
  /** Activity → number and caption. */
  readonly activities: Readonly<Record<string, readonly [id: number, caption: string]>>;
}

const identity = { uid: 3, caption: 'Identity & Access Management' };
const application = { uid: 6, caption: 'Application Activity' };

/** `activity_id` 99 in every class: the name beside it is the source's own. */
export const OTHER_ACTIVITY = 99;

const ocsfClasses = {
  authentication: {
    uid: 3002,
    caption: 'Authentication',
    category: identity,
    activities: { logon: [1, 'Logon'], logoff: [2, 'Logoff'], preauth: [6, 'Preauth'] },
  },
  'authorize-session': {
    uid: 3003,
    caption: 'Authorize Session',
    category: identity,
    activities: { 'assign-privileges': [1, 'Assign Privileges'], 'assign-groups': [2, 'Assign Groups'] },
  },
  'entity-management': {
    uid: 3004,
    caption: 'Entity Management',
    category: identity,
    activities: {
      create: [1, 'Create'],
      read: [2, 'Read'],
      update: [3, 'Update'],
      delete: [4, 'Delete'],
      enable: [8, 'Enable'],
      disable: [9, 'Disable'],
    },
  },
  'user-management': {
    uid: 3007,
    caption: 'User Management',
    category: identity,
    activities: {
      create: [1, 'Create'],
      update: [2, 'Update'],
      delete: [3, 'Delete'],
      enable: [4, 'Enable'],
      disable: [5, 'Disable'],
      lock: [6, 'Lock'],
      unlock: [7, 'Unlock'],
      'password-change': [8, 'Password Change'],
      'password-reset': [9, 'Password Reset'],
      'enable-mfa-factors': [12, 'Enable MFA Factors'],
      'disable-mfa-factors': [13, 'Disable MFA Factors'],
      'assign-privileges': [14, 'Assign Privileges'],
      'remove-privileges': [15, 'Remove Privileges'],
      'assign-roles': [16, 'Assign Roles'],
      'remove-roles': [17, 'Remove Roles'],
      'add-programmatic-credentials': [18, 'Add Programmatic Credentials'],
      'remove-programmatic-credentials': [19, 'Remove Programmatic Credentials'],
    },
  },
  'role-management': {
    uid: 3008,
    caption: 'Role Management',
    category: identity,
    activities: {
      create: [1, 'Create'],
      update: [2, 'Update'],
      delete: [3, 'Delete'],
      'assign-privileges': [4, 'Assign Privileges'],
      'remove-privileges': [5, 'Remove Privileges'],
    },
  },
  'api-activity': {
    uid: 6003,
    caption: 'API Activity',
    category: application,
    activities: {
      create: [1, 'Create'],
      read: [2, 'Read'],
      update: [3, 'Update'],
      delete: [4, 'Delete'],
      other: [OTHER_ACTIVITY, 'Other'],
    },
  },
  'datastore-activity': {
    uid: 6005,
    caption: 'Datastore Activity',
    category: application,
    activities: {
      read: [1, 'Read'],
      update: [2, 'Update'],
      query: [4, 'Query'],
      write: [5, 'Write'],
      create: [6, 'Create'],
      delete: [7, 'Delete'],
      list: [8, 'List'],
      encrypt: [9, 'Encrypt'],
      decrypt: [10, 'Decrypt'],
    },
  },
} as const satisfies Readonly<Record<string, OcsfClass>>;

type OcsfClassName = keyof typeof ocsfClasses;

/** What the table knows: the compiler compares it with what manifests may declare, in both directions. */
type Known = {
  [Name in OcsfClassName]: `${Name}/${keyof (typeof ocsfClasses)[Name]['activities'] & string}`;
}[OcsfClassName];

/** Every activity that a manifest may name. */
export const ocsfActivities: readonly OcsfActivity[] = Object.entries(ocsfClasses).flatMap(([name, { activities }]) =>
  Object.keys(activities).map((activity) => `${name}/${activity}` as Known satisfies OcsfActivity),
);

export interface OcsfPlace {
  readonly name: OcsfClassName;
  readonly ocsfClass: OcsfClass;
  readonly activityId: number;
  readonly activityCaption: string;
}

export function ocsfPlace(activity: OcsfActivity): OcsfPlace {
  const known: Known = activity;
  const [name, verb] = known.split('/') as [OcsfClassName, string];
  const ocsfClass: OcsfClass = ocsfClasses[name];
  const [activityId, activityCaption] = ocsfClass.activities[verb]!;
  return { name, ocsfClass, activityId, activityCaption };
}
