// What can be done to a user, depending on how the user stands.
import type { UserRow } from '@/api/people'

export type Deed = 'edit' | 'password' | 'factor' | 'sessions' | 'disable' | 'enable' | 'delete'

export function standingOf(user: Pick<UserRow, 'is_active' | 'deleted_at'>): 'active' | 'disabled' | 'deleted' {
  if (user.deleted_at !== null) return 'deleted'
  return user.is_active ? 'active' : 'disabled'
}

/** Nobody shuts themselves out from a list; one's own password and factor are on the own profile. */
export function deedsOn(user: Pick<UserRow, 'id' | 'is_active' | 'deleted_at'>, me: number): Deed[] {
  if (user.deleted_at !== null) return []
  if (user.id === me) return ['edit']
  const deeds: Deed[] = ['edit', 'password', 'factor', 'sessions']
  return [...deeds, user.is_active ? 'disable' : 'enable', 'delete']
}
