import { useMutation } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import { useEffect } from 'react';
import { LOCK_CHOICES, setPreferences, usePreferences } from '../app/preferences.ts';
import { useFormats } from '../app/formats.ts';
import { lock, signOut, useSession } from '../app/session.ts';
import { Icon, type IconName } from '../design/icon.tsx';
import { Button, Choice, Page } from '../design/parts.tsx';
import { prepareLanguages, useMessages } from '../messages/messages.ts';

export function AccountPage() {
  const { account: words, life, spaces, fields } = useMessages();
  const { day } = useFormats();
  const preferences = usePreferences();
  useEffect(prepareLanguages, []);
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
        <h2>{life.signingIn}</h2>
        <ul className="ways">
          <Way to="/account/password" icon="lock" name={life.password} lead={life.passwordLead} />
          <Way to="/account/recovery-code" icon="print" name={life.recoveryCode} lead={life.recoveryCodeLead} />
          <Way to="/account/email" icon="account" name={life.email} lead={account.email} />
          <Way to="/sessions" icon="sessions" name={life.sessions} lead={life.sessionsLead} />
        </ul>
        <p className="quiet">{words.recovery}</p>
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
      <section className="panel">
        <h2>{life.end}</h2>
        <ul className="ways">
          <Way to="/account/delete" icon="delete" name={life.delete} lead={life.deleteLead} final />
        </ul>
      </section>
    </Page>
  );
}

function Way(props: {
  readonly to: NonNullable<LinkProps['to']>;
  readonly icon: IconName;
  readonly name: string;
  readonly lead: string;
  readonly final?: boolean;
}) {
  const { to, icon, name, lead, final = false } = props;
  return (
    <li>
      <Link to={to} className="way" data-final={final}>
        <Icon name={icon} />
        <span className="way-words">
          <span className="way-name">{name}</span>
          <span className="quiet">{lead}</span>
        </span>
        <Icon name="next" />
      </Link>
    </li>
  );
}
