// What the audit log can be narrowed to, as the address of the page keeps it and as the API takes it.

/** Areas of actions: what stands before the dot. */
export const AREAS = [
  'login', 'session', 'user', 'group', 'role', 'grant', 'grant_template', 'approval', 'token', 'mfa', 'access', 'host', 'host_group', 'agent', 'enrolment_token', 'execution', 'file', 'secret', 'order', 'security', 'trust', 'audit',
] as const

export interface Filters {
  search: string
  user: number
  area: string | null
  action: string
  outcome: 'success' | 'refused' | null
  kind: string
  object: string
  address: string
  from: string
  to: string
}

/** The beginning of a day in local time, so many days later; nothing for what is no day. */
export function dayStart(text: string, later = 0): string | undefined {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00`) : null
  if (!day || Number.isNaN(day.getTime())) return undefined
  day.setDate(day.getDate() + later)
  return day.toISOString()
}

export function queryOf(filters: Filters) {
  return {
    search: filters.search || undefined,
    user_id: filters.user || undefined,
    action: filters.action || (filters.area ? `${filters.area}.` : undefined),
    success: filters.outcome === null ? undefined : filters.outcome === 'success',
    resource_type: filters.kind || undefined,
    resource_id: filters.object || undefined,
    ip_address: filters.address || undefined,
    start_date: dayStart(filters.from),
    end_date: dayStart(filters.to, 1),
  }
}
