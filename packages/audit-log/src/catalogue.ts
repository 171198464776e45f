/** Every audit event that may be written, gathered from the manifests. */
import { type AuditEventDeclaration, KernelError, type Manifest } from '@strongroom/kernel';

export type EventCatalogue = ReadonlyMap<string, AuditEventDeclaration & { readonly room: string }>;

/** Throws `kernel.not-declared` when two rooms declare the same type: then nobody could say whose it is. */
export function catalogue(manifests: readonly Pick<Manifest, 'name' | 'auditEvents'>[]): EventCatalogue {
  const events = new Map<string, AuditEventDeclaration & { readonly room: string }>();
  for (const { name, auditEvents } of manifests) {
    for (const [type, declaration] of Object.entries(auditEvents ?? {})) {
      const other = events.get(type)?.room;
      if (other !== undefined) {
        throw new KernelError('kernel.not-declared', { detail: `"${type}" is declared by ${other} and by ${name}.` });
      }
      events.set(type, { ...declaration, room: name });
    }
  }
  return events;
}
