import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Role } from '@strongroom/client';
import { useEffect, useRef, useState } from 'react';
import { useFormats } from '../app/formats.ts';
import { membersChanged, useOwnRole } from '../app/people.ts';
import { managesMembers, reaches, ROLES } from '../app/roles.ts';
import { vault } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { Form, Problem } from '../design/form.tsx';
import { Button, Notice, Page, TextField } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import type { InvitationView } from '../vault/people-protocol.ts';
import { useProof } from './proof.tsx';
import { RoleChoice } from './role-choice.tsx';

export function InvitePage() {
  const { errors, invite } = useMessages();
  const own = useOwnRole();
  const [ready, setReady] = useState<InvitationView | null>(null);
  if (!managesMembers(own)) {
    return (
      <Page title={invite.title}>
        <Notice tone="plain">{errors.codes['pipeline.forbidden']}</Notice>
      </Page>
    );
  }
  return ready === null ? (
    <NewInvitation own={own} onReady={setReady} />
  ) : (
    <Ready invitation={ready} onAnother={() => setReady(null)} />
  );
}

function NewInvitation(props: { readonly own: string; readonly onReady: (invitation: InvitationView) => void }) {
  const { own, onReady } = props;
  const messages = useMessages();
  const { invite: words, members } = messages;
  const [role, setRole] = useState<Role>('member');
  const { withProof, dialog } = useProof();
  const making = useMutation({
    mutationFn: () => withProof(() => vault('invite', role)),
    onSuccess(invitation) {
      if (invitation === null) return;
      void membersChanged();
      onReady(invitation);
    },
  });
  return (
    <Page title={words.title} lead={words.lead}>
      <Form onSubmit={() => (making.isPending ? undefined : making.mutate())}>
        <RoleChoice
          legend={words.role}
          roles={ROLES.filter((one) => reaches(own, one))}
          leads={members.roles}
          value={role}
          onChange={setRole}
        />
        <Problem error={making.error} />
        <div>
          <Button look="primary" type="submit" busy={making.isPending}>
            {making.isPending ? words.busy : words.submit}
          </Button>
        </div>
      </Form>
      {dialog}
    </Page>
  );
}

/** The link stands in this page's memory only, and goes with it. */
function Ready(props: { readonly invitation: InvitationView; readonly onAnother: () => void }) {
  const { invitation, onAnother } = props;
  const { invite: words, spaces } = useMessages();
  const { moment } = useFormats();
  const field = useRef<HTMLInputElement>(null);
  // Behind the #, which browsers do not send: the server learns nothing when it is opened.
  const link = `${location.origin}/join#${invitation.code}`;
  useEffect(() => field.current?.select(), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      note(words.copied);
    } catch {
      field.current?.focus();
      field.current?.select();
      note(words.copyFailed, 'problem');
    }
  };
  return (
    <Page
      title={words.readyTitle}
      lead={words.readyLead(spaces.roles[invitation.role] ?? invitation.role, moment(invitation.expiresAt))}
    >
      <div className="invitation">
        <TextField
          label={words.link}
          hint={words.once}
          value={link}
          onChange={() => undefined}
          readOnly
          inputRef={field}
          onFocus={(event) => event.target.select()}
        />
        <Button look="primary" icon="copy" onClick={() => void copy()}>
          {words.copy}
        </Button>
      </div>
      <section className="panel">
        <h2>{words.nextTitle}</h2>
        <p>{words.nextLead}</p>
        <div className="row">
          <Link to="/members" className="button button-plain">
            <span>{words.toMembers}</span>
          </Link>
          <Button look="quiet" onClick={onAnother}>
            {words.another}
          </Button>
        </div>
      </section>
    </Page>
  );
}
