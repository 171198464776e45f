import { defineDataMap, operational, subject } from '@strongroom/kernel';

export const dataMap = defineDataMap({
  tenants: {
    scope: 'installation',
    columns: { id: operational },
  },
  role_assignments: {
    scope: 'tenant',
    columns: {
      id: operational,
      tenant_id: operational,
      space_id: operational,
      account_id: subject,
      role: operational,
    },
  },
});
