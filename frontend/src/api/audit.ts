// The audit log: short names, and the address of an export with the same filters.
import type { ContentOf } from './contents'

export type AuditRow = ContentOf<'/api/permissions/audit-logs/', 'get'>['results'][number]
export type AuditDetail = ContentOf<'/api/permissions/audit-logs/{record_id}/', 'get'>

export const EXPORT_FORMATS = ['csv', 'xlsx', 'jsonl'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export function exportUrl(filters: Record<string, string | number | boolean | undefined>, format: ExportFormat): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filters)) if (value !== undefined && value !== '') query.set(name, String(value))
  query.set('format', format)
  return `/api/permissions/audit-logs/export/?${query}`
}
