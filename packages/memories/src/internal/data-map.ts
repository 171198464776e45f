import { defineDataMap, operational, personal, secret, subject } from '@strongroom/kernel';

const sealedContent = (subjectColumn: string, retention: string) =>
  personal({
    category: 'user.content',
    subject: subjectColumn,
    purpose: 'Keeping memories for the people who wrote them and those they share with',
    lawfulBasis: 'contract',
    retention,
    protection: 'sealed',
  });

export const dataMap = defineDataMap({
  spaces: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      id: operational,
      sealed_name: sealedContent('created_by', 'until the space is deleted'),
      epoch: operational,
      change_sequence: operational,
      created_by: subject,
      created_at: operational,
      rotation_due: operational,
    },
  },
  space_keys: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      space_id: operational,
      account_id: subject,
      epoch: operational,
      wrapped_key: secret('sealed'),
      created_at: operational,
      sender_id: subject,
    },
  },
  memories: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      space_id: operational,
      id: operational,
      version: operational,
      epoch: operational,
      sequence: operational,
      changed_at: operational,
      deleted_at: operational,
    },
  },
  memory_versions: {
    scope: 'tenant',
    columns: {
      tenant_id: operational,
      space_id: operational,
      memory_id: operational,
      version: operational,
      epoch: operational,
      sequence: operational,
      token: sealedContent('author_id', 'until the memory is deleted'),
      size: operational,
      author_id: subject,
      created_at: operational,
    },
  },
});
