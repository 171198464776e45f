/** Die Sätze vor dem Tresor; die Gestalt bestimmt entrance.en.ts. */
import type { EntranceMessages } from './entrance.en.ts';

export const entranceDe: EntranceMessages = {
  name: 'Strongroom',
  promise: 'Was hier liegt, können nur Sie lesen.',
  common: {
    cancel: 'Abbrechen',
    close: 'Schließen',
    save: 'Speichern',
    back: 'Zurück',
    tryAgain: 'Noch einmal versuchen',
    loading: 'Wird geladen',
    optional: 'freiwillig',
    showPassword: 'Passwort zeigen',
    hidePassword: 'Passwort verbergen',
    skip: 'Zum Inhalt',
    untitled: 'Ohne Titel',
    unnamedSpace: 'Ein Bereich, dessen Name sich nicht öffnen lässt',
  },
  fields: {
    email: 'E-Mail-Adresse',
    password: 'Passwort',
    displayName: 'Ihr Name',
  },
  setUp: {
    title: 'Tresor einrichten',
    lead: 'Sie haben den Einrichtungslink, also wird dieser Tresor Ihrer. Wählen Sie ein Passwort, das sonst niemand kennt: Der Server sieht es nie, und niemand kann es für Sie zurücksetzen.',
    passwordHint: 'Mindestens 15 Zeichen. Vier oder fünf zufällige Wörter merkt man sich leicht und errät man schwer.',
    passwordLength: (count) => `${count} von mindestens 15 Zeichen`,
    passwordLongEnough: 'Lang genug',
    submit: 'Tresor anlegen',
    busy: 'Schlüssel werden erzeugt',
    missing:
      'Diese Seite braucht den ganzen Einrichtungslink, den der Server beim Start ausgegeben hat. Öffnen Sie ihn noch einmal, mit allem, was hinter dem #-Zeichen steht.',
    haveAccount: 'Ich habe schon ein Konto',
    firstSpace: 'Persönlich',
  },
  kit: {
    title: 'Ihr Notfallblatt',
    lead: 'Wenn Sie Ihr Passwort vergessen, führt nur dieser Code wieder hinein. Er wird nur dieses eine Mal gezeigt. Drucken Sie ihn aus, oder speichern Sie ihn dort, wo dieser Rechner nicht ist.',
    code: 'Wiederherstellungscode',
    print: 'Drucken',
    save: 'Als Datei speichern',
    confirm: 'Ich habe den Code gedruckt oder gespeichert',
    submit: 'Meinen Tresor öffnen',
    fileTitle: 'Strongroom-Notfallblatt',
    address: 'Tresor',
    account: 'Konto',
    date: 'Ausgestellt am',
    advice:
      'Wer diesen Code hat, kann den Tresor öffnen. Verwahren Sie ihn wie einen Reisepass: auf Papier oder auf einem Datenträger, der in einer Schublade liegt.',
    leaveWarning: 'Der Wiederherstellungscode ist noch nicht gesichert.',
  },
  signIn: {
    title: 'Anmelden',
    lead: 'Ihr Passwort öffnet den Tresor auf diesem Gerät. Es wird nicht an den Server gesendet.',
    submit: 'Anmelden',
    busy: 'Wird geöffnet',
    ended:
      'Ihre Sitzung ist abgelaufen. Melden Sie sich wieder an; nichts, was Sie hier geschrieben haben, ist verloren.',
    signedOut: 'Sie sind abgemeldet. Die versiegelte Kopie auf diesem Gerät wurde gelöscht.',
    noAccount:
      'Noch kein Konto? Wem dieser Tresor gehört, kann Sie einladen. Wenn Sie den Server selbst gestartet haben, öffnen Sie den Einrichtungslink, den er ausgegeben hat.',
  },
  join: {
    title: 'Sie sind eingeladen',
    lead: 'Jemand hat Sie in einen Tresor eingeladen. Wählen Sie ein Passwort, das sonst niemand kennt: Der Server sieht es nie, und niemand kann es für Sie zurücksetzen.',
    inviter:
      'Der Link bringt auch den Schlüssel der einladenden Person mit, am Server vorbei. Was sie teilt, öffnet sich ohne Vergleich.',
    submit: 'Beitreten',
    missing:
      'Diese Seite braucht den ganzen Einladungslink. Öffnen Sie ihn noch einmal, wie Sie ihn bekommen haben, mit allem, was hinter dem #-Zeichen steht.',
    invalidTitle: 'Diese Einladung gilt nicht mehr',
    invalidLead:
      'Ein Link gilt einmal und sieben Tage lang. Dieser wurde schon benutzt, ist abgelaufen oder wurde zurückgezogen. Es wurde kein Konto angelegt.',
    invalidNext: 'Bitten Sie um einen neuen Link. Wenn Sie schon beigetreten sind, melden Sie sich an.',
    signIn: 'Zur Anmeldung',
    signedIn: (name) =>
      `${name} ist hier angemeldet. Eine Einladung legt ein weiteres Konto an: Melden Sie sich zuerst ab, oder öffnen Sie den Link in einem anderen Browser.`,
    signOut: 'Abmelden und weiter',
    stay: 'Angemeldet bleiben',
  },
  newPassword: {
    label: 'Neues Passwort',
  },
  unlock: {
    title: 'Verschlossen',
    lead: (name) => `Willkommen zurück, ${name}. Ihre Erinnerungen bleiben versiegelt, bis Sie Ihr Passwort eingeben.`,
    idle: 'Der Tresor hat sich verschlossen, weil niemand da war.',
    submit: 'Aufschließen',
    busy: 'Wird aufgeschlossen',
    signOut: 'Stattdessen abmelden',
  },
  recover: {
    link: 'Passwort vergessen?',
    title: 'Tresor wiederherstellen',
    lead: 'Der Code von Ihrem Notfallblatt öffnet den Tresor ein Mal. Sie setzen ein neues Passwort, alle Sitzungen enden, und Sie bekommen einen neuen Code.',
    code: 'Wiederherstellungscode',
    codeHint: 'Neun Vierergruppen. Großschreibung, Bindestriche und Leerzeichen spielen keine Rolle.',
    codeCount: (count) => `${count} von 36 Zeichen`,
    codeWhole: 'Alle Zeichen sind da',
    submit: 'Neues Passwort setzen',
    busy: 'Der Code öffnet den Tresor',
    back: 'Das Passwort fällt mir wieder ein',
    lost: 'Ohne Passwort und ohne Code kann niemand den Tresor öffnen, auch nicht, wer den Server betreibt.',
    kitTitle: 'Ihr neues Notfallblatt',
    kitLead:
      'Sie sind wieder drin, das neue Passwort gilt, und alle anderen Sitzungen sind beendet. Der alte Code ist nichts mehr wert: Dieser tritt an seine Stelle und wird nur dieses eine Mal gezeigt.',
  },
  unreachable: {
    title: 'Der Tresor antwortet nicht',
    lead: 'Der Server ist nicht zu erreichen. Vielleicht startet er gerade, oder dieses Gerät ist offline. Nichts ist verloren.',
  },
  missingPage: {
    title: 'Diese Seite ist nicht angekommen',
    lead: 'Der Server ist nicht zu erreichen, oder er wurde inzwischen erneuert. Nichts ist verloren; was offen ist, bleibt offen.',
    reload: 'Alles neu laden',
  },
  notFound: {
    title: 'An dieser Adresse ist nichts',
    home: 'Zu Ihren Erinnerungen',
  },
  errors: {
    limitedFor: (minutes) =>
      minutes === 1
        ? 'Zu viele Versuche. Versuchen Sie es in einer Minute noch einmal.'
        : `Zu viele Versuche. Versuchen Sie es in ${minutes} Minuten noch einmal.`,
    unexpected:
      'Etwas ist schiefgegangen, das nicht schiefgehen darf. Nichts ist verloren; versuchen Sie es noch einmal.',
    codes: {
      'client.unreachable': 'Der Server ist nicht zu erreichen. Nichts ist verloren; versuchen Sie es noch einmal.',
      'client.timeout': 'Der Server hat nicht rechtzeitig geantwortet. Versuchen Sie es noch einmal.',
      'client.bad-answer': 'Der Server hat etwas geantwortet, das keinen Sinn ergibt. Nichts davon wurde übernommen.',
      'client.wrong-password': 'Dieses Passwort öffnet diesen Tresor nicht.',
      'client.locked': 'Der Tresor ist verschlossen.',
      'client.cannot-open':
        'Das lässt sich nicht öffnen: Es wurde auf dem Server beschädigt, verschoben oder ausgetauscht.',
      'client.unknown-format': 'Das hat eine neuere Version von Strongroom geschrieben, oder es ist innen beschädigt.',
      'client.rolled-back':
        'Der Server zeigt einen älteren Stand als zuvor. Nichts davon wurde übernommen. Fragen Sie den Betreiber, warum.',
      'sealing.invalid-password': 'Wählen Sie ein Passwort mit mindestens 15 Zeichen.',
      'sealing.predictable-password':
        'Dieses Passwort ist lang, aber es gehört zu den ersten, die ausprobiert werden: Es wiederholt etwas Kurzes oder folgt dem Alphabet oder der Tastatur. Besser sind ein paar zufällige Wörter.',
      'authentication.sign-in-failed': 'Die E-Mail-Adresse oder das Passwort ist falsch.',
      'authentication.invalid-session': 'Ihre Sitzung ist abgelaufen. Melden Sie sich wieder an.',
      'authentication.invalid-email': 'Das ist keine E-Mail-Adresse.',
      'authentication.invalid-invitation':
        'Dieser Link gilt nicht mehr: Er ist abgelaufen, wurde benutzt oder durch einen neueren ersetzt. Solange es kein Konto gibt, gibt der Server bei jedem Start einen neuen aus.',
      'authentication.account-exists': 'Zu dieser E-Mail-Adresse gibt es schon ein Konto.',
      'pipeline.limited': 'Zu viele Versuche. Warten Sie einen Augenblick, und versuchen Sie es noch einmal.',
      'pipeline.forbidden': 'Ihre Rolle erlaubt das nicht.',
      'sealing.invalid-recovery-code':
        'Im Code ist ein Tippfehler, oder es fehlt etwas. Vergleichen Sie ihn Gruppe für Gruppe mit Ihrem Notfallblatt.',
      'sealing.weak-parameters':
        'Der Server verlangt ein schwächeres Schloss, als diese Seite annimmt. Ihr Passwort wurde nicht benutzt. Fragen Sie den Betreiber, warum.',
      'sealing.excessive-parameters':
        'Der Server verlangt mehr Rechenarbeit, als diese Seite leistet. Ihr Passwort wurde nicht benutzt.',
      'sealing.unsupported-parameters':
        'Der Server verlangt ein Schloss, das diese Seite nicht kennt. Ihr Passwort wurde nicht benutzt.',
      'authentication.recovery-failed':
        'Die E-Mail-Adresse oder der Code ist falsch, oder der Code wurde schon benutzt: Jede Wiederherstellung macht einen neuen. Suchen Sie das neueste Notfallblatt.',
      'authentication.invalid-recovery':
        'Das hat zu lange gedauert oder wurde anderswo beendet. Beginnen Sie noch einmal mit dem Code, den Sie jetzt haben.',
      'authentication.record-changed':
        'Ihre Schlüssel wurden im selben Augenblick anderswo geändert. Verschließen Sie den Tresor, schließen Sie ihn auf, und versuchen Sie es noch einmal.',
      'client.outcome-unknown':
        'Der Server verschwand mitten in der Änderung. Wenn Sie sich neu anmelden müssen, versuchen Sie zuerst das neue Passwort, dann das bisherige.',
      'pipeline.unauthenticated': 'Ihre Sitzung ist zu Ende. Melden Sie sich wieder an.',
      'pipeline.invalid-input': 'Etwas hier hat nicht die nötige Form.',
      'pipeline.unavailable':
        'Das ließ sich nicht aufzeichnen und wurde deshalb nicht getan. Nichts ist verloren; versuchen Sie es später noch einmal.',
      'authentication.wrong-secret': 'Dieses Passwort ist falsch.',
      'authentication.no-membership': 'Dieses Konto gehört zu keinem Tresor mehr.',
      'pipeline.not-found': 'Das ist nicht mehr da, oder Sie haben keinen Zugang mehr.',
    },
  },
};
