import { useMutation } from '@tanstack/react-query';
import { LOCK_CHOICES, setPreferences, usePreferences } from '../app/preferences.ts';
import { useFormats } from '../app/formats.ts';
import { lock, signOut, useSession } from '../app/session.ts';
import { Button, Choice, Page } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

export function AccountPage() {
  const { account: words, spaces, fields } = useMessages();
  const { day } = useFormats();
  const preferences = usePreferences();
  const session = useSession();
  const leaving = useMutation({ mutationFn: signOut });
  if (session.phase !== 'open') return null;
  const { account } = session;
  return (
    <Page title={words.title}>
      <section className="panel">
        <h2>{words.profile}</h2>
        <dl className="facts">
          <div>
            <dt>{fields.displayName}</dt>
            <dd>{account.displayName}</dd>
          </div>
          <div>
            <dt>{fields.email}</dt>
            <dd>{account.email}</dd>
          </div>
          <div>
            <dt>{words.role}</dt>
            <dd>{spaces.roles[account.role] ?? account.role}</dd>
          </div>
          <div>
            <dt>{words.since}</dt>
            <dd>{day(account.createdAt)}</dd>
          </div>
        </dl>
      </section>
      <section className="panel">
        <h2>{words.appearance}</h2>
        <div className="panel-fields">
          <Choice
            label={words.theme}
            value={preferences.theme}
            options={[
              ['system', words.themes.system],
              ['light', words.themes.light],
              ['dark', words.themes.dark],
            ]}
            onChange={(theme) => setPreferences({ theme })}
          />
          <Choice
            label={words.language}
            value={preferences.language}
            options={[
              ['system', words.languages.system],
              ['en', words.languages.en],
              ['de', words.languages.de],
            ]}
            onChange={(language) => setPreferences({ language })}
          />
        </div>
        <label className="check">
          <input
            type="checkbox"
            checked={preferences.letterKeys}
            onChange={(event) => setPreferences({ letterKeys: event.target.checked })}
          />
          <span>
            {words.letterKeys}
            <span className="quiet check-lead">{words.letterKeysLead}</span>
          </span>
        </label>
      </section>
      <section className="panel">
        <h2>{words.security}</h2>
        <div className="panel-fields">
          <Choice
            label={words.lockAfter}
            value={String(preferences.lockAfter)}
            options={LOCK_CHOICES.map((minutes) => [String(minutes), words.minutes(minutes)] as const)}
            onChange={(value) =>
              setPreferences({ lockAfter: LOCK_CHOICES.find((minutes) => String(minutes) === value) ?? 10 })
            }
          />
        </div>
        <p className="quiet">{words.recovery}</p>
        <div className="row">
          <Button icon="lock" onClick={() => void lock()}>
            {words.lockNow}
          </Button>
          <Button look="danger" busy={leaving.isPending} onClick={() => leaving.mutate()}>
            {words.signOut}
          </Button>
        </div>
        <p className="quiet">{words.signOutLead}</p>
      </section>
    </Page>
  );
}
