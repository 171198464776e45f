/** Die Sätze über andere Menschen auf Deutsch; die Gestalt bestimmt people.en.ts. */
import type { PeopleMessages } from './people.en.ts';

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString('de')} ${count === 1 ? one : many}`;

export const peopleDe: PeopleMessages = {
  members: {
    title: 'Mitglieder',
    lead: 'Wer zu diesem Tresor gehört. Dazuzugehören öffnet noch nichts: Jeder Bereich wird für sich geteilt, versiegelt für den Schlüssel jedes Einzelnen.',
    list: 'Mitglieder',
    you: 'Sie',
    gone: 'Ein gelöschtes Konto',
    invite: 'Jemanden einladen',
    aloneLead: 'Laden Sie die Menschen ein, mit denen Sie sich gemeinsam erinnern möchten.',
    guest: 'Als Gast sehen Sie die Bereiche, die mit Ihnen geteilt werden, nicht aber, wer sonst zum Tresor gehört.',
    notAMember: 'Diese Person gibt es hier nicht',
    notAMemberLead: 'Vielleicht ist sie gegangen oder wurde entfernt.',
    all: 'Alle Mitglieder',
    changedAlert: (names) =>
      `Der Schlüssel von ${names} ist nicht mehr der, den dieses Gerät kannte. Teilen Sie nichts, bevor Sie persönlich miteinander gesprochen haben.`,
    openInvitations: 'Offene Einladungen',
    noInvitations: 'Keine Einladung wartet darauf, benutzt zu werden.',
    expires: (moment) => `bis ${moment}`,
    invitedBy: (name) => `von ${name}`,
    withdraw: 'Zurückziehen',
    withdrawTitle: 'Diese Einladung zurückziehen?',
    withdrawLead: 'Der Link gilt sofort nicht mehr. Wer ihn hat, erfährt das beim Öffnen.',
    withdrawn: 'Die Einladung wurde zurückgezogen.',
    role: 'Rolle im Tresor',
    roleLead:
      'Sagt, was jemand im Tresor darf. Was er oder sie in einem Bereich darf, entscheidet sich dort. Offene Einladungen, die eine geringere Rolle nicht ausstellen dürfte, werden mit der Änderung zurückgezogen.',
    roles: {
      owner: 'Darf alles und kann auch andere mit dieser Rolle ändern.',
      admin: 'Lädt ein, entfernt und liest das Protokoll.',
      member: 'Legt eigene Bereiche an und teilt sie.',
      viewer: 'Sieht, wer hier ist, und nutzt Geteiltes, legt aber keine Bereiche an.',
      guest: 'Sieht nur die geteilten Bereiche und sonst nichts vom Tresor.',
    },
    roleAbove: 'Ändern kann das nur, wer den Tresor verwaltet und mindestens so hoch steht.',
    roleOwn: 'Ändern kann sie jemand anderes mit einer ebenso hohen Rolle.',
    changeRole: 'Rolle ändern',
    roleChanged: (name, role) => `${name}: ab jetzt ${role}.`,
    roleBack: (name, role) => `${name}: wieder ${role}.`,
    undo: 'Rückgängig',
    remove: 'Aus dem Tresor entfernen',
    removeLead: (name) =>
      `Beendet alle Sitzungen von ${name} und nimmt die Person aus allen Bereichen. Die Bereiche bekommen neue Schlüssel, damit sich nichts mehr für sie öffnet, was später geschrieben wird. Was sie bisher lesen konnte, kann sie behalten haben.`,
    removeTitle: (name) => `${name} entfernen?`,
    removeType: (name) => `Zur Bestätigung ${name} eintippen`,
    removeTypeWrong: 'Das ist nicht der Name.',
    removeEnding: (count) =>
      count === 1
        ? 'Ein Bereich, in dem sonst niemand ist, würde gelöscht, mit allem darin. Das lässt sich nicht rückgängig machen.'
        : `${count.toLocaleString('de')} Bereiche, in denen sonst niemand ist, würden gelöscht, mit allem darin. Das lässt sich nicht rückgängig machen.`,
    removeAnyway: 'Diese Bereiche löschen und entfernen',
    removing: 'Wird entfernt',
    removed: (name) => `${name} wurde entfernt.`,
    rotated: (count) => `${plural(count, 'Bereich hat einen neuen', 'Bereiche haben neue')} Schlüssel.`,
    rotationLeft: (names) => `Diese Bereiche brauchen noch einen neuen Schlüssel: ${names}.`,
  },
  invite: {
    title: 'Jemanden einladen',
    lead: 'Sie bekommen einen Link, der einmal und sieben Tage lang gilt. Schicken Sie ihn dieser Person und sonst niemandem.',
    role: 'Was sie im Tresor darf',
    submit: 'Link erzeugen',
    busy: 'Link wird erzeugt',
    readyTitle: 'Die Einladung ist fertig',
    readyLead: (role, until) => `${role} · gilt einmal, bis ${until}`,
    link: 'Einladungslink',
    once: 'Der Link wird nur dieses eine Mal gezeigt. Er bringt Ihren Schlüssel mit: Die Person weiß, dass Sie es sind, ohne den Server zu fragen.',
    copy: 'Link kopieren',
    copied: 'Kopiert. Schicken Sie ihn nur dieser Person.',
    copyFailed: 'Der Browser hat das Kopieren nicht erlaubt. Der Link ist markiert: Drücken Sie Strg + C.',
    nextTitle: 'Wenn die Person beigetreten ist',
    nextLead:
      'Vergleichen Sie Fingerabdrücke, bevor Sie den ersten Bereich teilen: Rufen Sie an, und lesen Sie einander vor, was bei Mitglieder unter dem Namen steht.',
    another: 'Noch jemanden einladen',
    toMembers: 'Zu den Mitgliedern',
  },
  proof: {
    title: 'Noch einmal Ihr Passwort',
    lead: 'Hierfür muss feststehen, dass Sie es sind. Es gilt fünf Minuten lang.',
    submit: 'Bestätigen',
    busy: 'Wird geprüft',
  },
  fingerprint: {
    title: 'Fingerabdruck',
    own: 'Ihr Fingerabdruck',
    ownLead:
      'Lesen Sie ihn denen vor, die mit Ihnen teilen möchten, am Telefon oder persönlich. Er ist kein Geheimnis; er muss nur auf einem anderen Weg ankommen als über diesen Server.',
    none: 'Der Server zeigt für diese Person keinen brauchbaren Schlüssel. Mit ihr lässt sich nichts teilen.',
    trust: {
      self: 'Sie',
      compared: 'Verglichen',
      accepted: 'Ungeprüft übernommen',
      unknown: 'Noch nicht verglichen',
      changed: 'Schlüssel geändert',
    },
    comparedLead: (name) =>
      `Sie haben diesen Fingerabdruck mit ${name} verglichen. Zeigt der Server je einen anderen Schlüssel, erfahren Sie es, und nichts wird geteilt.`,
    acceptedLead: (name) =>
      `Dieser Schlüssel wurde übernommen, wie der Server ihn zeigte, ohne ${name} zu fragen. Spätere Änderungen fallen auf; ein von Anfang an falscher Schlüssel nicht.`,
    unknownLead: (name) =>
      `Das ist der Schlüssel, der laut Server ${name} gehört. Damit wird nichts geteilt, bevor Sie verglichen haben.`,
    changedTitle: (name) => `Der Schlüssel von ${name} hat sich geändert`,
    changedLead: (name) =>
      `Der Server zeigt für ${name} jetzt einen anderen Schlüssel, als dieses Gerät kannte. Ein neues Passwort oder eine Wiederherstellung ändert keinen Schlüssel: Vielleicht steht jemand dazwischen. Mit diesem Schlüssel wird nichts geteilt, und von ihm wird nichts geöffnet.`,
    changedNext: (name) =>
      `Sprechen Sie mit ${name}, persönlich oder am Telefon. Nur wenn genau der neue Fingerabdruck vorgelesen wird, tippen Sie ihn hier ein.`,
    compareSteps: (name) => [
      `Rufen Sie ${name} an, oder treffen Sie sich. Eine Nachricht in derselben Anwendung genügt nicht.`,
      `${name} öffnet Mitglieder, dann „Ihr Fingerabdruck“, und liest die sechs Gruppen vor.`,
      'Haken Sie hier jede Gruppe ab, die genau übereinstimmt.',
    ],
    group: (number, digits) => `Gruppe ${number}: ${digits}`,
    heard: (count) => `${count} von 6 Gruppen verglichen`,
    matches: 'Alle sechs stimmen überein',
    differs: 'Sie unterscheiden sich',
    differsTitle: 'Teilen Sie nichts',
    differsLead: (name) =>
      `Wenn sich die Ziffern unterscheiden, ist der Schlüssel, den der Server zeigt, nicht der von ${name}. Jemand könnte mitlesen, was Sie teilen. Sagen Sie es ${name} und dem Betreiber des Servers, und bewahren Sie beide Fingerabdrücke auf.`,
    differsBack: 'Noch einmal vergleichen',
    written: 'Ich habe ihn schriftlich',
    writtenHint:
      'Aus einem Brief, von einer Visitenkarte oder aus einem anderen Messenger. Leerzeichen und Bindestriche sind gleichgültig.',
    field: 'Fingerabdruck, den Sie bekommen haben',
    check: 'Prüfen',
    fieldShort: 'Ein Fingerabdruck hat dreißig Ziffern.',
    accept: 'Ohne Vergleich übernehmen',
    acceptTitle: 'Den Schlüssel ohne Vergleich übernehmen?',
    acceptWarning: (name) =>
      `Zeigt der Server, oder wer ihn in der Hand hat, statt des Schlüssels von ${name} einen eigenen, kann er mitlesen, was Sie teilen. Sie können später vergleichen.`,
    done: (name) => `Der Schlüssel von ${name} ist als verglichen vermerkt.`,
    accepted: (name) => `Der Schlüssel von ${name} wurde ungeprüft übernommen.`,
    doubt: 'Als nicht verglichen vermerken',
    doubted: (name) => `Der Schlüssel von ${name} gilt nicht mehr als verglichen.`,
  },
  sharing: {
    members: 'Mitglieder dieses Bereichs',
    title: (space) => `Wer ${space} öffnen kann`,
    lead: 'Der Schlüssel dieses Bereichs ist für jede dieser Personen versiegelt. Niemand sonst kann ihn öffnen, auch der Server nicht.',
    list: 'Mitglieder des Bereichs',
    roles: {
      owner: 'Liest, schreibt und teilt, und kann auch andere mit dieser Rolle ändern.',
      admin: 'Liest, schreibt, teilt und entfernt.',
      member: 'Liest, schreibt, ändert und löscht Erinnerungen.',
      viewer: 'Liest alles und ändert nichts.',
      guest: 'Liest alles und ändert nichts.',
    },
    roleOf: (name) => `Rolle von ${name}`,
    roleChanged: (name, role) => `${name}: in diesem Bereich ab jetzt ${role}.`,
    roleBack: (name, role) => `${name}: in diesem Bereich wieder ${role}.`,
    add: 'Mit jemandem teilen',
    person: 'Person',
    choose: 'Jemanden wählen',
    asRole: 'Was die Person hier darf',
    history: 'Auch, was schon da ist',
    historyLead:
      'Gibt auch die früheren Schlüssel weiter. Ohne sie öffnet sich, was unter dem jetzigen und späteren Schlüsseln versiegelt ist.',
    submit: 'Teilen',
    busy: 'Schlüssel wird versiegelt',
    shared: (name) => `Mit ${name} geteilt.`,
    everybody: 'Alle, die zum Tresor gehören, sind schon hier.',
    nobody: 'Noch gehört sonst niemand zu diesem Tresor.',
    needKey: (name) =>
      `Bevor der Schlüssel dieses Bereichs für ${name} versiegelt wird, vergleichen Sie Fingerabdrücke.`,
    remove: 'Entfernen',
    removeTitle: (name) => `${name} aus diesem Bereich entfernen?`,
    removeLead: (name) =>
      `Der Bereich bekommt einen neuen Schlüssel, den ${name} nicht hat: Was ab jetzt geschrieben wird, öffnet sich für die Person nicht mehr. Was sie bisher lesen konnte, kann sie behalten haben.`,
    removed: (name) => `${name} wurde entfernt, und der Bereich hat einen neuen Schlüssel.`,
    rotationDue:
      'Jemand ist gegangen, der den Schlüssel dieses Bereichs kennt. Geben Sie ihm einen neuen, damit Späteres verschlossen bleibt.',
    rotate: 'Neuen Schlüssel geben',
    rotating: 'Schlüssel wird gewechselt',
    rotated: 'Der Bereich hat einen neuen Schlüssel.',
    rotationDueMember:
      'Jemand ist gegangen, der den Schlüssel dieses Bereichs kennt. Wer ihn verwaltet, sollte ihm einen neuen geben.',
    blocked: (name) =>
      `Der neue Schlüssel wird für alle versiegelt, die bleiben, und der Schlüssel von ${name} ist hier nicht bekannt.`,
    compareFirst: (name) => `Mit ${name} vergleichen`,
    leave: 'Diesen Bereich verlassen',
    leaveLead:
      'Sie verlieren den Zugang, und die versiegelte Kopie auf diesem Gerät wird gelöscht. Der Bereich kann wieder mit Ihnen geteilt werden.',
    leaveTitle: 'Diesen Bereich verlassen?',
    left: 'Sie haben den Bereich verlassen.',
    lastOwner: 'Er gehört nur Ihnen: Übertragen Sie das Eigentum, bevor Sie ihn verlassen.',
    onlyYou: 'Nur Sie können diesen Bereich öffnen.',
    oldKeys: 'ohne das, was vorher geschrieben wurde',
    viewerTitle: 'Hier können Sie lesen',
    viewerLead: (role) =>
      `Ihre Rolle in diesem Bereich ist „${role}“. Sie können alles lesen, durchsuchen und exportieren, aber nichts ändern.`,
    viewerAsk: (names) => `${names} kann Ihnen eine andere Rolle geben.`,
    viewerElsewhere: 'Anderswo schreiben',
    readOnly: 'Nur lesen',
    emptyViewer: 'Hier hat noch niemand etwas geschrieben.',
    waiting: (name) => `Geteilt von ${name}`,
    pendingTitle: (name) => `${name} hat einen Bereich mit Ihnen geteilt`,
    pendingLead: (name) =>
      `Er bleibt geschlossen, bis Sie wissen, dass der Schlüssel, mit dem er kam, ${name} gehört. Sonst könnte der Server Ihnen einen Bereich unterschieben, in dem jemand mitliest.`,
    goneTitle: 'Dieser Bereich gehört nicht zu Ihren',
    goneLead: 'Er wurde gelöscht, oder Sie sind kein Mitglied mehr. Die versiegelte Kopie auf diesem Gerät ist weg.',
    toSpaces: 'Zu Ihren Bereichen',
    nowhere: 'In keinem Ihrer Bereiche erlaubt Ihre Rolle das Schreiben; importieren lässt sich daher nichts.',
    noSpace: 'Noch wird kein Bereich mit Ihnen geteilt',
    noSpaceLead:
      'Ihre Rolle in diesem Tresor legt keine eigenen Bereiche an. Sobald jemand einen mit Ihnen teilt, erscheint er hier.',
    noSpaceFingerprint: 'Halten Sie Ihren Fingerabdruck bereit, wenn jemand anruft:',
  },
};

export const peopleErrorsDe: Readonly<Record<string, string>> = {
  'client.unknown-key':
    'Dieses Gerät kennt den Schlüssel dieser Person noch nicht. Vergleichen Sie zuerst Fingerabdrücke.',
  'client.key-changed':
    'Der Server zeigt für diese Person einen anderen Schlüssel als zuvor. Nichts wurde geteilt; vergleichen Sie Fingerabdrücke persönlich.',
  'client.fingerprint-differs':
    'Das ist ein anderer Fingerabdruck, als der Server zeigt. Vielleicht steht jemand dazwischen: Teilen Sie nichts, und fragen Sie noch einmal nach.',
  'client.unknown-member': 'Unter denen, die Sie sehen können, ist niemand dieser Art.',
  'pipeline.reauthentication-required': 'Geben Sie Ihr Passwort noch einmal ein, und versuchen Sie es dann wieder.',
  'authentication.role-too-high': 'Sie können höchstens in Ihre eigene Rolle einladen.',
  'authentication.invitation-not-found': 'Diese Einladung wurde inzwischen benutzt oder zurückgezogen.',
  'authorization.not-a-member': 'Diese Person gibt es hier nicht mehr.',
  'authorization.last-owner': 'Wer als Letzter das Eigentum hat, kann weder gehen noch eine geringere Rolle nehmen.',
  'authorization.role-too-high':
    'Sie können Rollen bis zu Ihrer eigenen vergeben und nur ändern, wer nicht über Ihnen steht.',
  'authorization.spaces-would-end': 'Mit dieser Person würden Bereiche gelöscht. Entscheiden Sie noch einmal.',
  'memories.role-too-high':
    'Sie können Rollen bis zu Ihrer eigenen vergeben und nur Mitglieder ändern, die nicht über Ihnen stehen.',
  'memories.space-full': 'Dieser Bereich hat so viele Mitglieder, wie ein Bereich haben kann.',
  'memories.stale-epoch':
    'Jemand anderes hat im selben Augenblick den Schlüssel dieses Bereichs gewechselt. Versuchen Sie es noch einmal.',
  'memories.incomplete-rotation':
    'Jemand anderes hat im selben Augenblick die Mitglieder dieses Bereichs geändert. Versuchen Sie es noch einmal.',
  'memories.cannot-remove-self': 'Verlassen Sie einen Bereich, statt sich selbst daraus zu entfernen.',
};
