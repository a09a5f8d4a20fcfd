// Page state that lives in the address: Back works, a reload shows the same, a link can be handed on.
import { computed, type WritableComputedRef } from 'vue'
import { type LocationQuery, useRoute, useRouter } from 'vue-router'

function first(query: LocationQuery, name: string): string {
  const value = query[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

/** Only a path of our own may be returned to after signing in, never another site. */
export function returnPath(given: unknown): string {
  return typeof given === 'string' && /^\/(?![/\\])/.test(given) ? given : '/'
}

export interface UrlState {
  text: (name: string) => WritableComputedRef<string>
  choice: <T extends string>(name: string, choices: readonly T[]) => WritableComputedRef<T | null>
  number: (name: string, fallback: number) => WritableComputedRef<number>
  /** Several at once, in one step of the history. */
  set: (changes: Record<string, string | number | null>) => void
}

/** `resets` are dropped when anything else changes: a new filter starts at the first page. */
export function useUrlState(resets: readonly string[] = []): UrlState {
  const route = useRoute()
  const router = useRouter()
  let waiting: Record<string, string> | null = null

  function set(changes: Record<string, string | number | null>): void {
    const query: Record<string, string> = waiting ?? Object.fromEntries(Object.keys(route.query).map((name) => [name, first(route.query, name)]))
    if (!Object.keys(changes).some((name) => resets.includes(name))) for (const name of resets) delete query[name]
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === '') delete query[name]
      else query[name] = String(value)
    }
    if (waiting) return
    waiting = query
    queueMicrotask(() => {
      waiting = null
      void router.replace({ query, hash: route.hash })
    })
  }

  return {
    set,
    text: (name) => computed({ get: () => first(route.query, name), set: (value) => set({ [name]: value }) }),
    choice: (name, choices) =>
      computed({
        get: () => choices.find((one) => one === first(route.query, name)) ?? null,
        set: (value) => set({ [name]: value }),
      }),
    number: (name, fallback) =>
      computed({
        get: () => {
          const value = Number(first(route.query, name))
          return Number.isInteger(value) && value > 0 ? value : fallback
        },
        set: (value) => set({ [name]: value === fallback ? null : value }),
      }),
  }
}
