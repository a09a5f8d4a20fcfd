// A new API token: how long it lives and what it may be given.

export const LIVES = [1, 7, 30, 90, 365] as const

/** The moment so many days from now, as the API takes it. */
export function expiryAfter(days: number, now: Date): string {
  return new Date(now.getTime() + days * 86_400_000).toISOString()
}

/** What somebody may do: permissions of roles, and what grants stand for on their objects alone. */
export interface Held {
  permissions: readonly string[]
  granted_permissions: readonly string[]
}

/** Scopes that somebody can give a token, with grants or without; `*` stands for every permission there is. */
export function scopesFor(held: Held, grants: boolean, catalogue: readonly string[]): string[] {
  if (held.permissions.includes('*')) return [...catalogue]
  return catalogue.filter((name) => held.permissions.includes(name) || (grants && held.granted_permissions.includes(name)))
}

/** Whether a scope of such a token counts on the objects of grants alone. */
export function byGrantsAlone(scope: string, held: Held): boolean {
  return !held.permissions.includes('*') && !held.permissions.includes(scope) && held.granted_permissions.includes(scope)
}

/** The scopes of a token that may do everything its owner may do: `*` only for who holds just that. */
export function everythingOf(held: Held, grants: boolean, catalogue: readonly string[]): string[] {
  return held.permissions.includes('*') ? ['*'] : scopesFor(held, grants, catalogue)
}
