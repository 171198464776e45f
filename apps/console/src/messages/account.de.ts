/** Die Sätze über das Leben eines Kontos; die Gestalt bestimmt account.en.ts. */
import type { accountEn } from './account.en.ts';

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString('de')} ${count === 1 ? one : many}`;

const memories = (count: number): string => plural(count, 'Erinnerung', 'Erinnerungen');

export const accountDe: typeof accountEn = {
  life: {
    signingIn: 'Anmelden',
    password: 'Passwort ändern',
    passwordLead: 'Ein anderes Schloss für denselben Schlüssel',
    recoveryCode: 'Neuer Wiederherstellungscode',
    recoveryCodeLead: 'Wenn der gedruckte fehlt oder jemand ihn gesehen hat',
    email: 'E-Mail-Adresse ändern',
    sessions: 'Sitzungen',
    sessionsLead: 'Wo Sie angemeldet sind',
    end: 'Gehen',
    delete: 'Konto löschen',
    deleteLead: 'Zeigt zuerst, was verschwinden würde, und fragt, bevor es geschieht',
  },
  password: {
    title: 'Passwort ändern',
    lead: 'Ihre Erinnerungen werden nicht neu versiegelt: Nur der Schlüssel zu ihnen bekommt ein anderes Schloss. Überall sonst, wo Sie angemeldet sind, endet die Sitzung.',
    current: 'Bisheriges Passwort',
    next: 'Neues Passwort',
    wrong: 'Das ist nicht Ihr bisheriges Passwort. Nichts wurde geändert.',
    same: 'Das ist Ihr bisheriges Passwort. Wählen Sie ein anderes.',
    submit: 'Passwort ändern',
    busy: 'Das Schloss wird gewechselt',
    done: 'Ihr Passwort ist geändert. Alle anderen Sitzungen sind beendet.',
    code: 'Ihr Wiederherstellungscode bleibt derselbe.',
  },
  recoveryCode: {
    title: 'Neuer Wiederherstellungscode',
    lead: 'Sie bekommen ein neues Notfallblatt zum Drucken oder Speichern. Passwort, Sitzungen und Erinnerungen bleiben, wie sie sind.',
    password: 'Ihr Passwort',
    old: 'Der bisherige Code gilt nicht mehr, sobald der neue gezeigt wird.',
    wrong: 'Das ist nicht Ihr Passwort. Nichts wurde geändert.',
    submit: 'Neuen Code ausstellen',
    busy: 'Der Code wird ausgestellt',
    kitTitle: 'Ihr neues Notfallblatt',
    kitLead:
      'Der bisherige Code gilt nicht mehr: Dieser tritt an seine Stelle und wird nur dieses eine Mal gezeigt. Drucken Sie ihn aus, oder speichern Sie ihn dort, wo dieser Rechner nicht ist, und werfen Sie das alte Notfallblatt weg.',
    kitDone: 'Zurück zu meinem Konto',
  },
  email: {
    title: 'E-Mail-Adresse ändern',
    lead: 'Mit ihr melden Sie sich an. Es wird nichts an sie gesendet, und Ihre Schlüssel bleiben dieselben.',
    present: 'Bisherige Adresse',
    next: 'Neue E-Mail-Adresse',
    confirm: 'Ihr Passwort',
    same: 'Das ist Ihre bisherige Adresse.',
    submit: 'Adresse ändern',
    busy: 'Wird geändert',
    done: (email) => `Sie melden sich ab jetzt als ${email} an.`,
    back: 'Zurückändern',
    kit: 'Ihr Wiederherstellungscode bleibt derselbe. Schreiben Sie die neue Adresse auf Ihr Notfallblatt: Beim Wiederherstellen wird nach ihr gefragt.',
    taken: 'Zu dieser Adresse gibt es hier ein anderes Konto.',
  },
  otherSessions: {
    end: 'Alle anderen beenden',
    title: 'Alle anderen Sitzungen beenden?',
    lead: 'Jeder andere Browser und jede Befehlszeile muss sich neu anmelden. Diese hier bleibt.',
    ended: (count) =>
      count === 0 ? 'Es gab keine andere Sitzung.' : `${plural(count, 'Sitzung', 'Sitzungen')} beendet.`,
  },
  deletion: {
    title: 'Konto löschen',
    lead: 'Es gibt kein Zurück: Die Schlüssel werden vernichtet, sodass sich auch aus einer Sicherung nichts mehr öffnen lässt. Lesen Sie zuerst, was verschwindet.',
    goes: 'Was verschwindet',
    memories: (count) => (count === 1 ? 'Erinnerung' : 'Erinnerungen'),
    spaces: (count) => (count === 1 ? 'Bereich' : 'Bereiche'),
    sessions: (count) => (count === 1 ? 'Sitzung' : 'Sitzungen'),
    invitations: (count) => (count === 1 ? 'offene Einladung' : 'offene Einladungen'),
    tenantEnds: 'Außer Ihnen ist niemand hier, also endet mit Ihrem Konto der ganze Tresor.',
    inSpaces: 'Bereich für Bereich',
    noSpaces: 'Sie sind in keinem Bereich.',
    outcomes: {
      delete: (count) => `Wird mit ${memories(count)} gelöscht`,
      leave: (others, authored) =>
        `Bleibt mit ${plural(others, 'anderer Person', 'anderen Personen')} bestehen${authored === 0 ? '' : `, ohne ${authored === 1 ? 'Ihre eine Erinnerung' : `Ihre ${memories(authored)}`}`}`,
      'hand-over': (others) =>
        `${plural(others, 'andere Person ist', 'andere Personen sind')} darin, und niemandem sonst gehört er`,
    },
    outcomeNames: { delete: 'Verschwindet', leave: 'Bleibt', 'hand-over': 'Entscheiden' },
    handOver: 'Jemand anderem übergeben',
    deleteForAll: 'Für alle löschen',
    remains: 'Was bleibt',
    remain: {
      'audit-pseudonym':
        'Im Protokoll ein zufälliger Name statt Ihres eigenen. Zu wem er gehörte, ist vergessen; ältere Sicherungen und Datenbankprotokolle können es noch verraten.',
      'copies-of-others': 'Was andere aus Bereichen abgeschrieben haben, die Sie mit ihnen geteilt haben.',
      backups: 'Sicherungen, bis sie ersetzt werden. Nichts von Ihnen lässt sich daraus noch öffnen.',
      'root-copies':
        'Frühere Hauptschlüssel, die jemand kopiert oder ein Schnappschuss der Platte behalten hat. Mit einem von ihnen ließen sich Sicherungen aus seiner Zeit öffnen.',
    },
    exportFirst: 'Erst die Erinnerungen mitnehmen',
    lastOwner:
      'Dieser Tresor gehört nur Ihnen, und andere sind darin. Übergeben Sie ihn zuerst jemand anderem; dann kann Ihr Konto gehen.',
    toMembers: 'Zu den Mitgliedern',
    undecided: 'Oben ist für einige Bereiche noch zu entscheiden.',
    confirm: 'Jetzt löschen',
    typeEmail: 'Tippen Sie Ihre E-Mail-Adresse',
    typeEmailHint: (email) => `${email}, damit feststeht, dass Sie es so meinen`,
    password: 'Ihr Passwort',
    mismatch: 'Das ist nicht die Adresse dieses Kontos.',
    submit: 'Mein Konto endgültig löschen',
    busy: 'Die Schlüssel werden vernichtet',
    failed: 'Was verschwinden würde, ließ sich nicht nachsehen',
    unsure:
      'Der Server verschwand, bevor er antwortete. Vielleicht hat er das Konto gelöscht: Wenn Sie sich nicht mehr anmelden können, ist es so. Sonst wurde nichts geändert.',
  },
  certificate: {
    title: 'Ihr Konto ist gelöscht',
    lead: 'Seine Sitzungen sind beendet, seine Schlüssel verschwinden meist binnen Sekunden, und in diesem Browser ist nichts von ihm geblieben. Diese Urkunde ist der Beweis; sie wird nur dieses eine Mal ausgestellt.',
    sheet: 'Löschurkunde',
    vault: 'Tresor',
    account: 'Konto',
    deletedAt: 'Gelöscht',
    destroyed: 'Vernichtet',
    summary: (spaces, count, sessions) =>
      `${plural(spaces, 'Bereich', 'Bereiche')}, ${memories(count)}, ${plural(sessions, 'Sitzung', 'Sitzungen')}`,
    left: (spaces) => `${plural(spaces, 'Bereich besteht', 'Bereiche bestehen')} ohne Sie weiter`,
    tenant: 'und der Tresor als Ganzes',
    keys: 'Schlüssel',
    keysBy: {
      queued: 'in jedem Schlüsselspeicher vernichtet, meist binnen Sekunden',
      rows: 'mit den Zeilen vernichtet, in denen sie standen',
    },
    remains: 'Was bleibt',
    remain: {
      'audit-pseudonym': 'ein zufälliger Name im Protokoll',
      'copies-of-others': 'Abschriften anderer',
      backups: 'Sicherungen, aus denen sich nichts mehr öffnen lässt',
      'root-copies': 'kopierte frühere Hauptschlüssel, mit denen sich Sicherungen aus ihrer Zeit öffnen ließen',
    },
    hash: 'Fingerabdruck des Eintrags',
    advice:
      'Den Fingerabdruck hat dieser Browser selbst berechnet, aus dem Protokolleintrag in der gespeicherten Datei. Wer das Protokoll dieses Tresors lesen darf, kann mit der Datei beweisen, dass genau das aufgezeichnet wurde.',
    save: 'Urkunde speichern',
    print: 'Drucken',
    done: 'Schließen',
    fileName: 'strongroom-loeschurkunde',
    none: 'Das Konto ist gelöscht, aber was der Server als Urkunde ausgestellt hat, ist keine. Sagen Sie es dem Betreiber.',
    checkTitle: 'Eine Löschurkunde prüfen',
    checkLead:
      'Wessen Konto gelöscht wurde, kann eine Urkunde vorlegen. Hier sehen Sie, ob im Protokoll genau das aufgezeichnet ist.',
    choose: 'Urkunde wählen',
    checking: 'Jeder Eintrag wird auf diesem Gerät geprüft',
    proved: (index, size) =>
      `Bewiesen: Eintrag ${index.toLocaleString('de')} von ${size.toLocaleString('de')} im Protokoll ist genau diese Löschung.`,
    notProved:
      'Das Protokoll ist vollständig und enthält diese Löschung nicht. Wenn sie in der letzten Minute geschah, versuchen Sie es noch einmal; sonst gehört sie zu einem anderen Tresor oder wurde nie aufgezeichnet.',
  },
  clock: {
    ahead: (by) =>
      `Die Uhr dieses Geräts geht gegenüber dem Server ${by} vor. Nichts ist verloren, aber Zeiten stimmen hier nicht, bis Sie sie stellen.`,
    behind: (by) =>
      `Die Uhr dieses Geräts geht gegenüber dem Server ${by} nach. Nichts ist verloren, aber Zeiten stimmen hier nicht, bis Sie sie stellen.`,
  },
};

export const accountErrorsDe: Readonly<Record<string, string>> = {
  'authentication.email-in-use': 'Zu dieser Adresse gibt es hier ein anderes Konto.',
  'authentication.wrong-confirmation': 'Das ist nicht die Adresse dieses Kontos. Nichts wurde gelöscht.',
  'authentication.session-not-found': 'Diese Sitzung ist schon zu Ende.',
  'memories.owner-needed':
    'Ein Bereich mit anderen Personen gehört noch niemandem sonst. Entscheiden Sie darüber, und versuchen Sie es noch einmal.',
  'authentication.recovery-code-replaced':
    'Ein anderes Gerät hat im selben Augenblick einen neuen Wiederherstellungscode ausgestellt. Jener gilt; hier wurde nichts geändert.',
  'client.recovery-code-unknown':
    'Der Server war mitten in der Änderung weg. Ob der bisherige Code noch gilt, ist nicht bekannt: Behalten Sie ihn, und stellen Sie einen neuen aus, sobald der Server wieder da ist.',
  'client.invalid-certificate': 'Das ist keine Löschurkunde, oder sie wurde verändert.',
};
