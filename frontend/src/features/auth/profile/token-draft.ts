// A new API token: how long it lives and what it may be given.

export const LIVES = [1, 7, 30, 90, 365] as const

/** The moment so many days from now, as the API takes it. */
export function expiryAfter(days: number, now: Date): string {
  return new Date(now.getTime() + days * 86_400_000).toISOString()
}

/** Scopes that somebody with these permissions can give; `*` stands for every permission there is. */
export function scopesFor(held: readonly string[], catalogue: readonly string[]): string[] {
  return held.includes('*') ? [...catalogue] : catalogue.filter((name) => held.includes(name))
}

/** The scopes of a token that may do everything its owner may do: `*` only for who holds just that. */
export function everythingOf(held: readonly string[], catalogue: readonly string[]): string[] {
  return held.includes('*') ? ['*'] : scopesFor(held, catalogue)
}
